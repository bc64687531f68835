import { describe, expect, it } from "vitest";
import { PublishAnswers } from "./publish-answer.ts";

const answers = new PublishAnswers("events");
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the usual answer of JetStream", () => {
  it.each([
    ['{"stream":"events","seq":42}', 42],
    ['{"stream":"events", "seq":42}', 42],
    ['{"stream":"events","seq":9007199254740991}', 9_007_199_254_740_991],
  ])("is read without parsing it: %s", (text, sequence) => {
    expect(answers.plainSequence(bytesOf(text))).toBe(sequence);
    expect(answers.read(bytesOf(text))).toEqual({ sequence, isDuplicate: false });
  });
});

describe("an answer that says more", () => {
  it.each([
    ['{"stream":"events","seq":42,"duplicate":true}', { sequence: 42, isDuplicate: true }],
    ['{"stream":"events","seq":42,"domain":"hub"}', { sequence: 42, isDuplicate: false }],
    ['{"stream":"events","domain":"hub","seq":42}', { sequence: 42, isDuplicate: false }],
    ['{"stream":"events","seq":42,"count":3}', { sequence: 42, isDuplicate: false }],
  ])("is read whole: %s", (text, ack) => {
    const sequence = answers.plainSequence(bytesOf(text));
    expect(sequence === 0 ? answers.read(bytesOf(text)) : { sequence, isDuplicate: false }).toEqual(ack);
  });

  it.each([
    [
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 9"},"stream":"events","seq":0}',
      "stale_claim",
    ],
    [
      '{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"events","seq":7}',
      "store_full",
    ],
    ['{"error":{"code":500,"description":"?"},"stream":"events","seq":7}', "store_failed"],
  ])("is an error that is told by its code: %s", (text, code) => {
    expect(answers.plainSequence(bytesOf(text))).toBe(0);
    expect(answers.read(bytesOf(text))).toMatchObject({ code });
  });

  it("is an error also where it does not say by whom", () => {
    expect(answers.read(bytesOf('{"error":{"code":503,"err_code":10008}}'))).toMatchObject({ code: "store_failed" });
  });

  it("is nobody's where it is empty", () => {
    expect(answers.plainSequence(bytesOf(""))).toBe(0);
    expect(answers.read(bytesOf(""))).toBe("not_ours");
  });
});

describe("an answer of somebody else", () => {
  it.each([
    "hello",
    "{}",
    "[1]",
    "null",
    "7",
    '{"stream":"events"}',
    '{"stream":"events","seq":"7"}',
    '{"stream":"event","seq":7}',
    '{"stream":"events2","seq":7}',
    '{"stream":"other","seq":7,"duplicate":true}',
    '{"stream":"events","seq":7',
    '{"stream":"other","error":{"err_code":10071}}',
  ])("says nothing: %s", (text) => {
    expect(answers.plainSequence(bytesOf(text))).toBe(0);
    expect(answers.read(bytesOf(text))).toBe("not_ours");
  });
});
