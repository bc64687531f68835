/** An IP address as eight groups of 16 bits; IPv4 is mapped (`::ffff:a.b.c.d`), so that both forms of one address are equal. */
export type IpAddress = readonly number[];

/** A block of addresses. */
export interface IpBlock {
  readonly address: IpAddress;
  /** Leading bits that count, of 128. */
  readonly bits: number;
}

/** The address a text stands for, without port, zone or brackets; null for anything else. Never throws. */
export function parseIp(text: string): IpAddress | null {
  if (text.length > 45) return null;
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

/** The block of a text like `10.0.0.0/8`, `fd00::/8` or a single address; null for anything else. */
export function parseIpBlock(text: string): IpBlock | null {
  const [before = "", length, ...rest] = text.split("/");
  const address = parseIp(before);
  if (address === null || rest.length > 0) return null;
  if (length === undefined) return { address, bits: 128 };
  const offset = before.includes(":") ? 0 : 96;
  const bits = /^\d{1,3}$/.test(length) ? Number(length) + offset : 129;
  return bits <= 128 ? { address, bits } : null;
}

export function isInBlock(address: IpAddress, block: IpBlock): boolean {
  return address.every((group, index) => {
    const bits = Math.min(Math.max(block.bits - index * 16, 0), 16);
    const mask = (0xffff << (16 - bits)) & 0xffff;
    return (group & mask) === ((block.address[index] ?? 0) & mask);
  });
}

/** True for addresses of this machine only. */
export function isLoopback(address: IpAddress): boolean {
  return loopback.some((block) => isInBlock(address, block));
}

/** True for addresses that do not come from the public internet: who has them is this machine, or a proxy near it. */
export function isPrivate(address: IpAddress): boolean {
  return privateBlocks.some((block) => isInBlock(address, block));
}

/** What connections are counted under: an IPv4 address, or the /64 that one IPv6 customer has. */
export function networkKey(address: IpAddress): string {
  if (isInBlock(address, mapped))
    return address
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join(".");
  return `${address
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

function parseV4(text: string): IpAddress | null {
  const parts = text.split(".");
  // Leading zeros are octal to some and decimal to others: refused.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [0, 0, 0, 0, 0, 0xffff, (a << 8) | b, (c << 8) | d];
}

function parseV6(text: string): IpAddress | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) =>
    half === "" && halves.length > 1 ? [] : parseGroups(half, index === halves.length - 1),
  );
  if (head === null || head === undefined || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const missing = 8 - head.length - tail.length;
  return missing >= 1 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : null;
}

function parseGroups(text: string, mayEndInV4: boolean): number[] | null {
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const v4 = mayEndInV4 && index === parts.length - 1 && part.includes(".") ? parseV4(part) : null;
    if (v4 !== null) groups.push(...v4.slice(6));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function blocks(...texts: readonly string[]): readonly IpBlock[] {
  return texts.map((text) => parseIpBlock(text)).filter((block) => block !== null);
}

const mapped: IpBlock = { address: [0, 0, 0, 0, 0, 0xffff, 0, 0], bits: 96 };
const loopback = blocks("127.0.0.0/8", "::1");
// RFC 1918, RFC 6598 (carrier-grade NAT, and the pods of some clouds), link-local, RFC 4193.
const privateBlocks = blocks(
  "127.0.0.0/8",
  "::1",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "fe80::/10",
  "fc00::/7",
);
