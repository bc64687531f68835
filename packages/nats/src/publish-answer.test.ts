import { describe, expect, it } from "vitest";
import { plainSequence, readAnswer } from "./publish-answer.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the usual answer of JetStream", () => {
  it.each([
    ['{"stream":"events","seq":42}', 42],
    ['{"stream":"events", "seq":42}', 42],
    ['{"stream":"a","seq":9007199254740991}', 9_007_199_254_740_991],
  ])("is read from its end: %s", (text, sequence) => {
    expect(plainSequence(bytesOf(text))).toBe(sequence);
    expect(readAnswer(bytesOf(text))).toEqual({ sequence, isDuplicate: false });
  });
});

describe("an answer that says more", () => {
  it.each([
    ['{"stream":"events","seq":42,"duplicate":true}', { sequence: 42, isDuplicate: true }],
    ['{"stream":"events","seq":42,"domain":"hub"}', { sequence: 42, isDuplicate: false }],
    ['{"stream":"events","domain":"hub","seq":42}', { sequence: 42, isDuplicate: false }],
    ['{"stream":"events","seq":42,"count":3}', { sequence: 42, isDuplicate: false }],
  ])("is read whole: %s", (text, ack) => {
    const sequence = plainSequence(bytesOf(text));
    expect(sequence === 0 ? readAnswer(bytesOf(text)) : { sequence, isDuplicate: false }).toEqual(ack);
  });

  it.each([
    [
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 9"},"stream":"e","seq":0}',
      "stale_claim",
    ],
    [
      '{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"e","seq":7}',
      "store_full",
    ],
    ['{"error":{"code":500,"description":"?"},"stream":"e","seq":7}', "store_failed"],
  ])("is an error that is told by its code: %s", (text, code) => {
    expect(plainSequence(bytesOf(text))).toBe(0);
    expect(readAnswer(bytesOf(text))).toMatchObject({ code });
  });

  it("is nobody's where it is empty", () => {
    expect(plainSequence(bytesOf(""))).toBe(0);
    expect(readAnswer(bytesOf(""))).toBe("no_leader");
  });
});
