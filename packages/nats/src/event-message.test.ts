import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "./event-message.ts";

const draft = { type: "model.added", subject: undefined, json: "null", sizeBytes: 15, dedupeKey: undefined };

describe("an event in the payload of a message", () => {
  it.each([
    ["without a subject", { ...draft }],
    ["with a subject", { ...draft, subject: "openai/gpt" }],
    ["with any text in it", { ...draft, subject: 'ü "\\ 😀', json: '{"text":"a\\nb \u2028 😀"}' }],
  ])("%s comes back as it was published", (_, published) => {
    const { dedupeKey: _key, ...rest } = published;
    expect(decodeEvent(encodeEvent(published), 7, "t")).toEqual({ ...rest, offset: 7, timestamp: "t" });
  });

  it.each([
    "",
    "hello",
    "\n{}",
    '["model.added"]\nnull',
    '{"type":"a"}\nnull',
    '["a.b",1,2]\nnull',
    '["a.b",null,"2"]\n1',
  ])("is refused as foreign: %j", (text) => {
    expect(() => decodeEvent(new TextEncoder().encode(text), 1, "t")).toThrow(
      expect.objectContaining({ code: "store_corrupt" }) as Error,
    );
  });
});
