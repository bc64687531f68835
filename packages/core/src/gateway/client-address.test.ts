import { describe, expect, it } from "vitest";
import { clientAddress } from "./client-address.ts";
import { parseIpBlock } from "./ip-address.ts";

const trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"]
  .map((text) => parseIpBlock(text))
  .filter((block) => block !== null);

describe("a client's address", () => {
  it.each([
    ["a public peer, whatever it forwards", "198.51.100.7", "1.2.3.4", "198.51.100.7", "198.51.100.7"],
    ["what a trusted proxy forwards", "10.0.0.1", "198.51.100.7", "198.51.100.7", "198.51.100.7"],
    [
      "the nearest untrusted of several hops",
      "10.0.0.1",
      "6.6.6.6, 198.51.100.7, 10.9.9.9",
      "198.51.100.7",
      "198.51.100.7",
    ],
    ["without the port some proxies add", "10.0.0.1", "198.51.100.7:5555", "198.51.100.7", "198.51.100.7"],
    [
      "an IPv6 one, in brackets with a port",
      "10.0.0.1",
      "[2001:db8:1:2::3]:99",
      "2001:db8:1:2::3",
      "2001:db8:1:2::/64",
    ],
    ["through a mapped proxy address", "::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7", "198.51.100.7"],
    ["the proxy's, uncounted, when it forwards nothing", "10.0.0.1", null, "10.0.0.1", null],
    ["the proxy's, uncounted, when it forwards nonsense", "10.0.0.1", "unknown", "10.0.0.1", null],
    ["the proxy's, uncounted, when nonsense is nearest", "10.0.0.1", "198.51.100.7, _hidden", "10.0.0.1", null],
  ])("is %s", (_what, peer, forwarded, address, countedAs) => {
    expect(clientAddress(peer, forwarded, trusted)).toEqual({ address, countedAs, isProxySuspected: false });
  });

  it.each([
    ["a private peer", "10.0.0.1", null, true],
    ["loopback, as in development", "127.0.0.1", null, false],
    ["loopback that forwards", "127.0.0.1", "198.51.100.7", true],
  ])("of %s is not counted while no proxy is named (suspected: %s)", (_what, peer, forwarded, isProxySuspected) => {
    expect(clientAddress(peer, forwarded, null)).toEqual({ address: peer, countedAs: null, isProxySuspected });
  });

  it("is counted when it is public and no proxy is named", () => {
    expect(clientAddress("198.51.100.7", "1.1.1.1", null).countedAs).toBe("198.51.100.7");
  });

  it("is counted when it is private and there is said to be no proxy", () => {
    expect(clientAddress("10.0.0.1", "1.1.1.1", []).countedAs).toBe("10.0.0.1");
  });

  it("is unknown where the runtime does not say", () => {
    expect(clientAddress(null, "1.1.1.1", trusted)).toEqual({
      address: null,
      countedAs: null,
      isProxySuspected: false,
    });
  });

  it("is looked for only at the end of a header as long as an attacker likes", () => {
    const long = `${"1.1.1.1,".repeat(100_000)}198.51.100.7`;
    expect(clientAddress("10.0.0.1", long, trusted).address).toBe("198.51.100.7");
  });
});
