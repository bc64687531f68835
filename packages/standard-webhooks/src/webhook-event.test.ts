import { describe, expect, it } from "vitest";
import type { VerifiedWebhook } from "./verify.ts";
import { readData, readEvent, type EventVocabulary } from "./webhook-event.ts";

const sentAt = 1_700_000_000_000;

describe("an event in a webhook", () => {
  it("is read from Starcast's envelope", () => {
    const payload = {
      id: "k3f9-7",
      type: "model.added",
      timestamp: "2026-01-01T00:00:00.000Z",
      subject: "acme/m1",
      data: { model: 1 },
    };
    expect(readEvent(webhook(payload), undefined)).toEqual({ ...payload, id: "evt-1", sentAt });
  });

  it("is read from the payload of Standard Webhooks, with or without `data`", () => {
    expect(readEvent(webhook({ type: "a.b", timestamp: "2022-11-03T20:26:10Z", data: [1] }), undefined)).toEqual({
      id: "evt-1",
      type: "a.b",
      timestamp: "2022-11-03T20:26:10Z",
      data: [1],
      sentAt,
    });
    expect(readEvent(webhook({ type: "a.b", name: "x" }), undefined)).toMatchObject({
      timestamp: "2023-11-14T22:13:20.000Z",
      data: { type: "a.b", name: "x" },
    });
  });

  it("is read from CloudEvents JSON", () => {
    const payload = {
      specversion: "1.0",
      id: "1",
      source: "/x",
      type: "a.b",
      time: "2026-01-01T00:00:00Z",
      subject: "s",
      data: { n: 1 },
    };
    expect(readEvent(webhook(payload), undefined)).toMatchObject({
      type: "a.b",
      timestamp: payload.time,
      subject: "s",
      data: { n: 1 },
    });
  });

  it("is read from CloudEvents JSON without data, and with bytes", () => {
    const payload = { specversion: "1.0", id: "1", source: "/x", type: "a.b" };
    const read = (more: object) => readEvent(webhook({ ...payload, ...more }), undefined).data;
    expect(read({})).toBeUndefined();
    expect(read({ data: null })).toBeNull();
    expect(read({ data_base64: "AP8=" })).toEqual(Uint8Array.of(0, 255));
    for (const wrong of [{ data_base64: "AP8" }, { data_base64: 5 }, { data: 1, data_base64: "AP8=" }]) {
      expect(() => read(wrong)).toThrow(expect.objectContaining({ code: "malformed_body" }));
    }
  });

  it("cannot be changed by whoever gets it", () => {
    expect(Object.isFrozen(readEvent(webhook({ type: "a.b" }), undefined))).toBe(true);
  });

  it.each([
    ["no JSON", "type=a"],
    ["nothing", ""],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["a text", '"a.b"'],
    ["a list", "[1]"],
    ["null", "null"],
    ["no type", '{"data":1}'],
    ["a type that is no text", '{"type":5}'],
  ])("is refused where the body holds %s", (_what, body) => {
    expect(() => readEvent(webhook(body), undefined)).toThrow(expect.objectContaining({ code: "malformed_body" }));
  });

  it("never shows the payload in an error", () => {
    let error: unknown;
    try {
      readEvent(webhook("4111-1111 is no JSON"), undefined);
    } catch (thrown) {
      error = thrown;
    }
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause)).not.toContain(
      "4111",
    );
  });

  it("survives nesting that would break a recursive reader", () => {
    const depth = 100_000;
    const event = readEvent(webhook(`{"type":"a.b","data":${"[".repeat(depth)}${"]".repeat(depth)}}`), undefined);
    expect(Array.isArray(event.data)).toBe(true);
  });

  it("has what the vocabulary's validator made of its data; types it does not know pass", () => {
    const vocabulary: EventVocabulary<unknown> = {
      has: (type) => type === "a.b",
      validate: (_type, data) => {
        if (typeof data !== "number") throw new Error("no number");
        return data * 2;
      },
    };
    expect(readEvent(webhook({ type: "a.b", data: 21 }), vocabulary).data).toBe(42);
    expect(readEvent(webhook({ type: "a.c", data: "x" }), vocabulary).data).toBe("x");
    expect(() => readEvent(webhook({ type: "a.b", data: "x" }), vocabulary)).toThrow(
      expect.objectContaining({ code: "malformed_body", cause: new Error("no number") }),
    );
  });
});

describe("bare data in a webhook", () => {
  it("is any JSON under its id", () => {
    for (const data of [{ model: 1 }, [1], "x", 0, null]) {
      expect(readData(webhook(JSON.stringify(data)))).toEqual({ id: "evt-1", data, sentAt });
    }
    expect(() => readData(webhook(""))).toThrow(expect.objectContaining({ code: "malformed_body" }));
  });
});

function webhook(payload: unknown): VerifiedWebhook {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return { id: "evt-1", sentAt, body: payload instanceof Uint8Array ? payload : new TextEncoder().encode(text) };
}
