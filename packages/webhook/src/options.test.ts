import { describe, expect, it } from "vitest";
import { resolveWebhookDispatcherOptions } from "./options.ts";

describe("the options", () => {
  it("are complete and frozen when nothing is given", () => {
    const resolved = resolveWebhookDispatcherOptions({});
    expect(resolved).toMatchObject({
      name: "webhooks",
      attempt: { deadlineMs: 15_000, connectTimeoutMs: 5_000, maxAnswerBytes: 16_384 },
      maxInFlight: 1_024,
    });
    expect(resolved.scheduleMs).toHaveLength(10);
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it.each([
    [{ alow: [] }, "did you mean `allow`?"],
    [{ attempt: { deadline: 1 } }, "did you mean `deadlineMs`?"],
    [{ allow: ["localhost"] }, "Expected `allow`"],
    [{ name: "a/b" }, "Expected `name`"],
    [{ ports: [] }, "Expected `ports`"],
    [{ ports: [0] }, "Expected `ports`"],
    [{ scheduleMs: [] }, "Expected `scheduleMs`"],
    [{ scheduleMs: [-1] }, "Expected `scheduleMs`"],
    [{ encryptionKey: "short" }, "Expected `encryptionKey` to be 32 random bytes"],
    [{ attempt: { connectTimeoutMs: 20_000 } }, "at most attempt.deadlineMs (15000)"],
    [{ health: { breakerFailurePercent: 0 } }, "from 1 to 100"],
    [{ maxInFlight: 0 }, "from 1 to 65536"],
    [{ source: "not a uri reference" }, "Expected `source`"],
    [{ publishOutcomes: "yes" }, "true or false"],
  ])("%j is refused", (options, message) => {
    expect(() => resolveWebhookDispatcherOptions(options as object)).toThrow(message);
  });

  it("never show an encryption key that is refused, but its length", () => {
    expect(() => resolveWebhookDispatcherOptions({ encryptionKey: "hunter2" })).toThrow(
      /^Expected `encryptionKey` to be 32 random bytes in base64 .*, got a text of 7 characters$/,
    );
  });
});
