import { describe, expect, it } from "vitest";
import { isInBlock, isLoopback, isPrivate, networkKey, parseIp, parseIpBlock } from "./ip-address.ts";

describe("an IP address", () => {
  it.each([
    ["1.2.3.4", [0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304]],
    ["::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304]],
    ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
    ["::1", [0, 0, 0, 0, 0, 0, 0, 1]],
    ["2001:DB8::8:800:200C:417A", [0x2001, 0xdb8, 0, 0, 8, 0x800, 0x200c, 0x417a]],
    ["1::", [1, 0, 0, 0, 0, 0, 0, 0]],
    ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]],
  ])("reads %s", (text, groups) => {
    expect(parseIp(text)).toEqual(groups);
  });

  it.each([
    "",
    " ",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "0x7f.1",
    "2130706433",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "1:2:3:4:5:6:7::8",
    "::12345",
    "fe80::1%eth0",
    "[::1]",
    "1.2.3.4::",
    "::1.2.3",
    "x".repeat(100),
  ])("refuses %j", (text) => {
    expect(parseIp(text)).toBeNull();
  });

  it("is the same in both of its forms", () => {
    expect(networkKey(parseIp("::ffff:198.51.100.7") ?? [])).toBe(networkKey(parseIp("198.51.100.7") ?? []));
  });

  it("is counted per address in IPv4, per /64 in IPv6", () => {
    const keyOf = (text: string): string => networkKey(parseIp(text) ?? []);
    expect(keyOf("198.51.100.7")).not.toBe(keyOf("198.51.100.8"));
    expect(keyOf("2001:db8:1:1::1")).toBe(keyOf("2001:db8:1:1:ffff::2"));
    expect(keyOf("2001:db8:1:1::1")).not.toBe(keyOf("2001:db8:1:2::1"));
  });

  it.each([
    ["127.0.0.1", true, true],
    ["127.255.0.9", true, true],
    ["::1", true, true],
    ["::ffff:127.0.0.1", true, true],
    ["10.1.2.3", false, true],
    ["172.31.255.255", false, true],
    ["172.32.0.0", false, false],
    ["192.168.0.1", false, true],
    ["100.64.0.1", false, true],
    ["fd12::1", false, true],
    ["fe80::1", false, true],
    ["8.8.8.8", false, false],
    ["2001:db8::1", false, false],
    ["0.0.0.0", false, false],
  ])("%s is loopback: %s, private: %s", (text, isOnLoopback, isNear) => {
    const address = parseIp(text) ?? [];
    expect([isLoopback(address), isPrivate(address)]).toEqual([isOnLoopback, isNear]);
  });
});

describe("a block of addresses", () => {
  it.each([
    ["10.0.0.0/8", "10.255.1.1", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["198.51.100.7", "198.51.100.7", true],
    ["198.51.100.7/31", "198.51.100.6", true],
    ["198.51.100.7/32", "198.51.100.6", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::/0", "8.8.8.8", true],
  ])("%s holds %s: %s", (block, address, isHeld) => {
    const parsed = parseIpBlock(block);
    expect(parsed !== null && isInBlock(parseIp(address) ?? [], parsed)).toBe(isHeld);
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "x/8", "loopback"])(
    "is not %j",
    (text) => {
      expect(parseIpBlock(text)).toBeNull();
    },
  );
});
