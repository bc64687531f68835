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
 * The address a text stands for, or null. Strict: dotted decimal without leading zeros, IPv6 without a zone; what other
 * parsers take for an address (octal, hexadecimal, one number) is none here, so it can never slip past as a name.
 */
export function parseIp(text: string): IpAddress | null {
  if (text.includes(":")) {
    const bits = parseV6(text);
    return bits === null ? null : { family: 6, bits };
  }
  const bits = parseV4(text);
  return bits === null ? null : { family: 4, bits };
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

const byte = /^(?:0|[1-9]\d{0,2})$/;

function parseV4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => byte.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = groupsOf(halves[1] ?? "", true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // `::` stands for at least one group; without it all eight are there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array.from({ length: missing }, () => 0n), ...tail].reduce(
    (bits, group) => (bits << 16n) | group,
    0n,
  );
}

// The last 32 bits may be written in dotted decimal.
function groupsOf(text: string, mayEndDotted: boolean): bigint[] | null {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(BigInt(`0x${part}`));
      continue;
    }
    const dotted = mayEndDotted && index === parts.length - 1 ? parseV4(part) : null;
    if (dotted === null) return null;
    groups.push(dotted >> 16n, dotted & 0xffffn);
  }
  return groups;
}
