import { describe, expect, it } from "vitest";
import { judgeAddress, specialV4Blocks, specialV6Blocks } from "./address-guard.ts";
import { parseNetwork, type Network } from "./ip-address.ts";

const isAllowed = (text: string, allowed?: readonly Network[]): boolean => judgeAddress(text, allowed).isAllowed;

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function textOf(family: 4 | 6, bits: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
  return Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");
}

function edges(text: string): { first: string; last: string; before: string | null; after: string | null } {
  const { address, prefix } = network(text);
  const size = 1n << BigInt((address.family === 4 ? 32 : 128) - prefix);
  const end = 1n << (address.family === 4 ? 32n : 128n);
  const last = address.bits + size - 1n;
  return {
    first: textOf(address.family, address.bits),
    last: textOf(address.family, last),
    before: address.bits === 0n ? null : textOf(address.family, address.bits - 1n),
    after: last + 1n === end ? null : textOf(address.family, last + 1n),
  };
}

// Blocks whose neighbour is itself special.
const hasSpecialNeighbour: Readonly<Record<string, "before" | "after">> = {
  "224.0.0.0/4": "after",
  "240.0.0.0/4": "before",
};

describe("the special blocks of IPv4", () => {
  it.each(specialV4Blocks)("%s (%s) is refused from its first to its last address", (block) => {
    const { first, last, before, after } = edges(block);
    const middle = textOf(4, network(block).address.bits + ((1n << BigInt(32 - network(block).prefix)) >> 1n));
    expect([first, middle, last].map((text) => isAllowed(text))).toEqual([false, false, false]);
    const neighbour = hasSpecialNeighbour[block];
    if (before !== null && neighbour !== "before") expect([before, isAllowed(before)]).toEqual([before, true]);
    if (after !== null && neighbour !== "after") expect([after, isAllowed(after)]).toEqual([after, true]);
  });

  it.each(specialV4Blocks)("%s (%s) is refused in every disguise of IPv6", (block) => {
    for (const text of [edges(block).first, edges(block).last]) {
      for (const prefix of ["::ffff:", "64:ff9b::", "::", "64:ff9b:1::", "::ffff:0:", "2002:"]) {
        const disguised = prefix === "2002:" ? sixToFour(text) : `${prefix}${text}`;
        expect([disguised, isAllowed(disguised)]).toEqual([disguised, false]);
      }
    }
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "168.63.129.15",
  ])("%s is an ordinary public address", (text) => {
    expect(isAllowed(text)).toBe(true);
  });

  it.each(["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "255.255.255.255"])(
    "%s, metadata or broadcast, is refused",
    (text) => {
      expect(isAllowed(text)).toBe(false);
    },
  );
});

describe("IPv6", () => {
  it("is denied by default outside 2000::/3", () => {
    for (let first = 0; first < 0x1_0000; first += 0x100) {
      const text = `${first.toString(16)}:1234::1`;
      expect([text, isAllowed(text)]).toEqual([text, first >= 0x2000 && first <= 0x3fff]);
    }
  });

  it.each(specialV6Blocks)("%s (%s) is refused from its first to its last address", (block) => {
    const { first, last } = edges(block);
    expect([first, last].map((text) => isAllowed(text))).toEqual([false, false]);
  });

  it.each([
    ["2001:200::1", true],
    ["2001:1ff:ffff::1", false],
    ["2001:db7:ffff::1", true],
    ["2001:db9::1", true],
    ["2001:ffff::1", true],
    ["2003::1", true],
    ["2620:4f:7fff::1", true],
    ["2620:4f:8001::1", true],
    ["3ffe:ffff::1", true],
    ["3fff:1000::1", true],
    ["3fff:0fff::1", false],
    ["1fff:ffff::1", false],
    ["4000::1", false],
    ["2606:4700:4700::1111", true],
  ] as const)("%s: %s", (text, expected) => {
    expect(isAllowed(text)).toBe(expected);
  });

  it.each([
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["v4-compatible", "::8.8.8.8"],
    ["v4-translated", "::ffff:0:8.8.8.8"],
    ["discard-only", "100::1"],
    ["dummy prefix", "100:0:0:1::1"],
    ["Teredo", "2001::1"],
    ["benchmarking", "2001:2::1"],
    ["AMT", "2001:3::1"],
    ["AS112", "2001:4:112::1"],
    ["ORCHID", "2001:10::1"],
    ["ORCHIDv2", "2001:20::1"],
    ["drone identity", "2001:30::1"],
    ["6to4 of a public address", "2002:808:808::1"],
    ["local NAT64", "64:ff9b:1::808:808"],
    ["segment routing", "5f00::1"],
    ["unique local", "fc00::1"],
    ["unique local", "fd00:ec2::254"],
    ["link-local", "fe80::1"],
    ["site-local", "fec0::1"],
    ["multicast", "ff02::1"],
    ["with a zone", "2606:4700::1%eth0"],
  ])("%s %s is refused", (_, text) => {
    expect(isAllowed(text)).toBe(false);
  });

  it("judges v4-mapped and NAT64 addresses by the IPv4 address within", () => {
    expect(isAllowed("::ffff:8.8.8.8")).toBe(true);
    expect(isAllowed("::ffff:808:808")).toBe(true);
    expect(isAllowed("64:ff9b::8.8.8.8")).toBe(true);
    expect(isAllowed("::ffff:7f00:1")).toBe(false);
    expect(isAllowed("64:ff9b::a9fe:a9fe")).toBe(false);
  });
});

describe("what is no address", () => {
  it.each(["", "localhost", "127.1", "0177.0.0.1", "0x7f000001", "2130706433", "127.0.0.1.", "::1%lo", "[::1]"])(
    "%j is refused",
    (text) => {
      expect(isAllowed(text)).toBe(false);
    },
  );
});

describe("unlocked networks", () => {
  it("open exactly what they hold", () => {
    const allowed = [network("10.1.0.0/16"), network("fd12::/16")];
    expect(["10.1.0.0", "10.1.255.255", "fd12::1", "::ffff:10.1.2.3"].map((text) => isAllowed(text, allowed))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["10.0.255.255", "10.2.0.0", "127.0.0.1", "fd13::1", "::1"].map((text) => isAllowed(text, allowed))).toEqual(
      [false, false, false, false, false],
    );
  });
});

function sixToFour(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return `2002:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}::1`;
}
