import { describe, expect, it } from "vitest";
import { checkGrant, maxIdentityLength } from "./grant.ts";

describe("what authorize returns", () => {
  it("is a grant with an identity and what it may have", () => {
    const grant = {
      identity: "ann",
      types: ["model.*"],
      subjects: ["acme/*"],
      replayEvents: Infinity,
      expiresAt: Date.now(),
    };
    expect(checkGrant(grant)).toEqual(grant);
  });

  it("drops what is not of a grant, such as a whole user", () => {
    expect(checkGrant({ identity: "ann", password: "s3cret" })).not.toHaveProperty("password");
  });

  it.each([
    [undefined, "grant"],
    ["ann", "grant"],
    [{}, "grant.identity"],
    [{ identity: "" }, "grant.identity"],
    [{ identity: "x".repeat(maxIdentityLength + 1) }, "grant.identity"],
    [{ identity: null, replayEvents: -1 }, "grant.replayEvents"],
    [{ identity: null, types: ["nodots"] }, "type pattern"],
    [{ identity: null, types: "model.*" }, "types"],
    [{ identity: null, expiresAt: new Date() }, "grant.expiresAt"],
    [{ identity: null, expiresAt: Number.NaN }, "grant.expiresAt"],
  ])("%j is refused", (grant, part) => {
    expect(() => checkGrant(grant)).toThrow(part);
  });

  it("with a JWT's seconds is refused with what to do", () => {
    expect(() => checkGrant({ identity: null, expiresAt: 1_790_000_000 })).toThrow("multiply by 1,000");
  });
});
