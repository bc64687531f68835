import { describe, expect, it } from "vitest";
import { invalidOption, isWebhookError, WebhookError } from "./errors.ts";

describe("an error of this package", () => {
  it("is known by its brand, in whatever copy of the package it was made", () => {
    const error = new WebhookError("no_matching_key", "none");
    expect(Symbol.for("starcast.error") in error).toBe(true);
    expect(error).toMatchObject({ name: "WebhookError", code: "no_matching_key", retryable: false });
    expect(isWebhookError(error)).toBe(true);
    expect(isWebhookError(error, "no_matching_key")).toBe(true);
    expect(isWebhookError(error, "replayed")).toBe(false);
    const ofAnother = { [Symbol.for("starcast.error")]: true, name: "StarcastError", code: "no_matching_key" };
    for (const other of [new Error("none"), null, "no_matching_key", { code: "no_matching_key" }, ofAnother]) {
      expect(isWebhookError(other)).toBe(false);
    }
  });

  it("says whether trying again can help", () => {
    expect(new WebhookError("handler_failed", "").retryable).toBe(true);
    expect(new WebhookError("timestamp_too_old", "").retryable).toBe(false);
  });

  it.each([
    ["a text that may be a secret", "whsec_abcd", "a string of 10 characters"],
    ["a number", 5, "`5` (number)"],
    ["bytes", new Uint8Array(3), "3 bytes"],
    ["a list", [1, 2], "an array of 2"],
    ["an object", {}, "an object"],
    ["a function", () => 1, "a function"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
  ])("shows only the shape of %s", (_what, value, shape) => {
    expect(invalidOption("keys", "one to ten keys", value).message).toBe(
      `Expected \`keys\` to be one to ten keys, got ${shape}`,
    );
  });
});
