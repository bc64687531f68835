import { isIP } from "node:net";
import { describe, expect, it } from "vitest";
import { isWithin, parseIp, parseNetwork } from "./ip-address.ts";

describe("parsing an address", () => {
  it.each([
    ["0.0.0.0", 4, 0n],
    ["127.0.0.1", 4, 0x7f00_0001n],
    ["255.255.255.255", 4, 0xffff_ffffn],
    ["::", 6, 0n],
    ["::1", 6, 1n],
    ["1::", 6, 1n << 112n],
    ["::ffff:1.2.3.4", 6, 0xffff_0102_0304n],
    ["64:ff9b::1.2.3.4", 6, (0x64_ff9bn << 96n) | 0x0102_0304n],
    ["2001:db8:0:0:0:0:0:1", 6, (0x2001_0db8n << 96n) | 1n],
    ["2001:DB8::1", 6, (0x2001_0db8n << 96n) | 1n],
    ["1:2:3:4:5:6:1.2.3.4", 6, 0x0001_0002_0003_0004_0005_0006_0102_0304n],
    ["1:2:3:4:5:6:7::", 6, 0x0001_0002_0003_0004_0005_0006_0007_0000n],
  ] as const)("reads %s", (text, family, bits) => {
    expect(parseIp(text)).toEqual({ family, bits });
    expect(isIP(text)).toBe(family);
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.-4",
    "a.b.c.d",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "::1.2.3",
    "::256.1.1.1",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "[::1]",
    "::ffff:1.2.3.4%1",
  ])("refuses %j", (text) => {
    expect(parseIp(text)).toBeNull();
  });

  it("takes exactly what the platform takes, but for zones", () => {
    let seed = 42;
    const next = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    const pieces = ["1", "ff", "0", ":", "::", ".", "255", "256", "abcd", "1.2.3.4", "10000", "00"];
    for (let round = 0; round < 50_000; round += 1) {
      const text = Array.from({ length: 1 + next(12) }, () => pieces[next(pieces.length)]).join(
        round % 2 === 0 ? "" : ":",
      );
      expect([text, parseIp(text)?.family ?? 0]).toEqual([text, isIP(text)]);
    }
  });
});

describe("a network", () => {
  it.each([
    "10.0.0.0/33",
    "10.0.0.1/8",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/08",
    "::/129",
    "fd00::1/8",
    "/8",
    "10.0.0.0/8/8",
    "x/8",
  ])("is not %j", (text) => {
    expect(parseNetwork(text)).toBeNull();
  });

  it("holds its first and last address and not the neighbours", () => {
    const network = parseNetwork("10.1.0.0/16");
    const within = (text: string): boolean =>
      isWithin(parseIp(text) ?? { family: 4, bits: 0n }, network ?? { address: { family: 4, bits: 0n }, prefix: 0 });
    expect(["10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0", "::ffff:10.1.0.1"].map(within)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it("may be everything, or one address", () => {
    const all = parseNetwork("::/0");
    const one = parseNetwork("1.2.3.4/32");
    if (all === null || one === null) throw new Error("unparsed");
    expect(isWithin({ family: 6, bits: (1n << 128n) - 1n }, all)).toBe(true);
    expect(isWithin({ family: 4, bits: 0x0102_0304n }, one)).toBe(true);
    expect(isWithin({ family: 4, bits: 0x0102_0305n }, one)).toBe(false);
  });
});
