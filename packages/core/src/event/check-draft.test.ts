import { describe, expect, it } from "vitest";
import { isStarcastError } from "../errors.ts";
import {
  checkDedupeKey,
  checkSubject,
  checkType,
  maxDedupeKeyLength,
  maxSubjectLength,
  maxTypeLength,
} from "./check-draft.ts";

describe("an event type", () => {
  it.each(["model.added", "a.b.c", "A-1._x"])("may be %j", (type) => {
    expect(() => checkType(type)).not.toThrow();
  });

  it.each([
    "model",
    "",
    ".",
    "model.",
    ".added",
    "model..added",
    "mo del.added",
    "model.added\r\n",
    "model.\u0000",
    "modèle.added",
    "client.connected",
    "client.x",
    7,
    null,
  ])("may not be %j", (type) => {
    expect(codeOf(() => checkType(type))).toBe("invalid_event_type");
  });

  it("may have 128 characters and not 129", () => {
    const longest = `a.${"b".repeat(maxTypeLength - 2)}`;
    expect(codeOf(() => checkType(longest))).toBeNull();
    expect(codeOf(() => checkType(`${longest}b`))).toBe("invalid_event_type");
  });

  it("is shortened in the message when it is long", () => {
    expect(() => checkType("x".repeat(10_000))).toThrow(/^.{0,400}$/);
  });
});

describe("a subject", () => {
  it.each(["openai/gpt-5", "日本", "a b", "😀", undefined])("may be %j", (subject) => {
    expect(codeOf(() => checkSubject(subject))).toBeNull();
  });

  it.each(["", "a\nb", "a\u0000", "\ud800", "\u2028", 7, null, "x".repeat(maxSubjectLength + 1)])(
    "may not be %j",
    (subject) => {
      expect(codeOf(() => checkSubject(subject))).toBe("invalid_subject");
    },
  );
});

describe("a dedupe key", () => {
  it("is text of 1 to 256 characters", () => {
    expect(codeOf(() => checkDedupeKey("x".repeat(maxDedupeKeyLength)))).toBeNull();
    for (const key of ["", 7, null, "\ud800", "x".repeat(maxDedupeKeyLength + 1)])
      expect(codeOf(() => checkDedupeKey(key))).toBe("invalid_option");
  });
});

function codeOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return isStarcastError(error) ? error.code : "not ours";
  }
}
