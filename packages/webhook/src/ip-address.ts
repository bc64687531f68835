import { parseIp as parseGroups } from "@starcast/core/gateway";

/** An IP address, or a network's first one, as one number: 32 or 128 bits. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** Every address whose first `prefix` bits are those of `address`. */
export interface Network {
  readonly address: IpAddress;
  readonly prefix: number;
}

/**
 * The address a text stands for, or null. Read as strictly as core reads those of clients; apart from there, an IPv4
 * address and the same one in disguise (`::ffff:1.2.3.4`) are two, since a connection to the one is not one to the other.
 */
export function parseIp(text: string): IpAddress | null {
  const groups = parseGroups(text);
  if (groups === null) return null;
  const family = text.includes(":") ? 6 : 4;
  const own = family === 4 ? groups.slice(6) : groups;
  return { family, bits: own.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n) };
}

/** `10.1.0.0/16`, `fd00::/8`; null for anything else, also when bits beyond the prefix are set. */
export function parseNetwork(text: string): Network | null {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match === null ? null : parseIp(match[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === null || prefix > sizeOf(address)) return null;
  const hostBits = BigInt(sizeOf(address) - prefix);
  return (address.bits >> hostBits) << hostBits === address.bits ? { address, prefix } : null;
}

/** Whether the address lies in the network. Addresses of the other family never do. */
export function isWithin(address: IpAddress, network: Network): boolean {
  if (address.family !== network.address.family) return false;
  const hostBits = BigInt(sizeOf(address) - network.prefix);
  return address.bits >> hostBits === network.address.bits >> hostBits;
}

function sizeOf(address: IpAddress): number {
  return address.family === 4 ? 32 : 128;
}
