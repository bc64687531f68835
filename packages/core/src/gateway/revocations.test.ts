import { describe, expect, it } from "vitest";
import { Revocations, maxRecentRevocations } from "./revocations.ts";

describe("a revocation", () => {
  it("concerns who was being judged, not who comes after it", () => {
    const revocations = new Revocations(5_000);
    const before = revocations.number;
    revocations.add("ann", 0);
    expect(revocations.isRevokedSince("ann", before)).toBe(true);
    expect(revocations.isRevokedSince("bob", before)).toBe(false);
    expect(revocations.isRevokedSince(null, before)).toBe(false);
    expect(revocations.isRevokedSince("ann", revocations.number)).toBe(false);
  });

  it("is forgotten when nobody can have been judged since before it", () => {
    const revocations = new Revocations(5_000);
    revocations.add("ann", 0);
    revocations.add("bob", 5_001);
    expect(revocations.isRevokedSince("ann", 0)).toBe(false);
    expect(revocations.isRevokedSince("bob", 0)).toBe(true);
  });

  it("that comes with too many others refuses everybody who was being judged", () => {
    const revocations = new Revocations(5_000);
    for (let n = 0; n <= maxRecentRevocations; n += 1) revocations.add(`user-${n}`, 0);
    expect(revocations.isRevokedSince("user-0", 0)).toBe(true);
    expect(revocations.isRevokedSince("nobody", 0)).toBe(true);
    expect(revocations.isRevokedSince("nobody", revocations.number)).toBe(false);
  });
});
