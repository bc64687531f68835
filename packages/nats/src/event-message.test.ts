import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "./event-message.ts";
import { TimeText } from "./time-text.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const draft = { type: "model.added", subject: undefined, json: "null", sizeBytes: 15, dedupeKey: undefined };

describe("an event in the payload of a message", () => {
  it.each([
    ["without a subject", { ...draft }],
    ["with a subject", { ...draft, subject: "openai/gpt" }],
    ["with any text in it", { ...draft, subject: 'ü "\\ 😀', json: '{"text":"a\\nb \u2028 😀"}' }],
  ])("%s comes back as it was published", (_, published) => {
    const { dedupeKey: _key, ...rest } = published;
    const timestamp = "2026-01-02T03:04:05.123Z";
    const payload = bytesOf(encodeEvent(published, Date.parse(timestamp)));
    expect(decodeEvent(payload, 7, new TimeText())).toEqual({ ...rest, offset: 7, timestamp });
  });

  it.each([
    "",
    "hello",
    "\n{}",
    '["model.added"]\nnull',
    '{"type":"a"}\nnull',
    '["a.b",1,2,3]\nnull',
    '["a.b",null,"2",3]\n1',
    '["a.b",null,2]\n1',
    '["a.b",null,2,1.5]\n1',
    '["a.b",null,2,-1]\n1',
    '["a.b",null,2,253402300800000]\n1',
  ])("is none in what others wrote: %j", (text) => {
    expect(decodeEvent(bytesOf(text), 1, new TimeText())).toBeNull();
  });
});
