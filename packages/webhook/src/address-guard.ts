import { isWithin, parseIp, parseNetwork, type IpAddress, type Network } from "./ip-address.ts";

/** What the guard says of one address: it may be called, or why not. */
export type AddressVerdict = { readonly isAllowed: true } | { readonly isAllowed: false; readonly reason: string };

/**
 * May a webhook call this address? Pure, and default-deny: IPv4 minus every special block, IPv6 only 2000::/3 minus its
 * special blocks. Addresses that embed an IPv4 one are judged by it or refused. `allowed` networks are the one unlock.
 */
export function judgeAddress(text: string, allowed: readonly Network[] = []): AddressVerdict {
  const address = parseIp(text);
  if (address === null) return refuse("not an address");
  return address.family === 4 ? judgeV4(address, allowed) : judgeV6(address, allowed);
}

/** Blocks of IPv4 that are not an ordinary public address: IANA's special-purpose registry, multicast, metadata. */
export const specialV4Blocks: readonly (readonly [network: string, reason: string])[] = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "carrier-grade NAT"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local, cloud metadata"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "protocol assignments"],
  ["192.0.2.0/24", "documentation"],
  ["192.31.196.0/24", "AS112"],
  ["192.52.193.0/24", "AMT"],
  ["192.88.99.0/24", "6to4 relay"],
  ["192.168.0.0/16", "private"],
  ["192.175.48.0/24", "AS112"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  // A public address that answers only inside Azure: its machines' metadata and agent.
  ["168.63.129.16/32", "cloud metadata"],
];

/** Blocks within 2000::/3 that are not an ordinary public address. */
export const specialV6Blocks: readonly (readonly [network: string, reason: string])[] = [
  ["2001::/32", "Teredo"],
  ["2001::/23", "protocol assignments"],
  ["2001:db8::/32", "documentation"],
  ["2002::/16", "6to4"],
  ["2620:4f:8000::/48", "AS112"],
  ["3fff::/20", "documentation"],
];

const v4Blocks = specialV4Blocks.map(([network, reason]) => ({ network: requireNetwork(network), reason }));
const v6Blocks = specialV6Blocks.map(([network, reason]) => ({ network: requireNetwork(network), reason }));
const globalUnicast = requireNetwork("2000::/3");

// What a dual-stack socket calls an IPv4 peer, and what DNS64 answers with in an IPv6-only network: both are IPv4 in
// disguise. 6to4, Teredo, `::a.b.c.d` and local NAT64 (64:ff9b:1::/48) have no honest use here and are refused whole.
const embeddingBlocks = ["::ffff:0:0/96", "64:ff9b::/96"].map(requireNetwork);

function judgeV4(address: IpAddress, allowed: readonly Network[]): AddressVerdict {
  if (allowed.some((network) => isWithin(address, network))) return permit;
  const special = v4Blocks.find(({ network }) => isWithin(address, network));
  return special === undefined ? permit : refuse(special.reason);
}

function judgeV6(address: IpAddress, allowed: readonly Network[]): AddressVerdict {
  if (allowed.some((network) => isWithin(address, network))) return permit;
  if (embeddingBlocks.some((network) => isWithin(address, network))) {
    return judgeV4({ family: 4, bits: address.bits & 0xffff_ffffn }, allowed);
  }
  if (!isWithin(address, globalUnicast)) return refuse("not global unicast");
  const special = v6Blocks.find(({ network }) => isWithin(address, network));
  return special === undefined ? permit : refuse(special.reason);
}

const permit: AddressVerdict = Object.freeze({ isAllowed: true });

function refuse(reason: string): AddressVerdict {
  return { isAllowed: false, reason };
}

function requireNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new TypeError(`Expected a network like 10.0.0.0/8, got ${text}`);
  return network;
}
