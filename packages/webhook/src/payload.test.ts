import { describe, expect, it } from "vitest";
import { makePayload, maxKept, PayloadMaker } from "./payload.ts";

const event = { id: "e1-7", type: "a.b", subject: "ü/1", timestamp: "2025-01-01T00:00:00.000Z", json: '{"n":1}' };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe("a payload", () => {
  it("is the envelope, the data, or a CloudEvent", () => {
    expect(text(makePayload("envelope", event, "/").body)).toBe(
      '{"id":"e1-7","type":"a.b","timestamp":"2025-01-01T00:00:00.000Z","subject":"ü/1","data":{"n":1}}',
    );
    expect(text(makePayload("data", event, "/").body)).toBe('{"n":1}');
    expect(JSON.parse(text(makePayload("cloudevents", event, "/s").body))).toMatchObject({
      id: "e1-7",
      source: "/s",
      data: { n: 1 },
    });
    expect(makePayload("cloudevents-binary", event, "/s")).toMatchObject({
      headers: expect.arrayContaining(["ce-id", "e1-7", "ce-subject", "%C3%BC/1"]) as unknown,
    });
  });

  it("of the dispatcher's own events keeps their id", () => {
    expect(text(makePayload("envelope", { ...event, id: "e1-gap-5-7", subject: undefined }, "/").body)).toContain(
      '{"id":"e1-gap-5-7","type"',
    );
  });

  it.each(["%", "a b", '"', "\u{1f600}", "a\tb", "~!#$&'()*+,-./:;<=>?@[]^_`{|}"])(
    "carries %j as a header that reads back",
    (subject) => {
      const { headers } = makePayload("cloudevents-binary", { ...event, subject }, "/");
      const value = headers[headers.indexOf("ce-subject") + 1] ?? "";
      expect(value).toMatch(/^[\x21-\x7e]+$/);
      expect(decodeURIComponent(value)).toBe(subject);
    },
  );
});

describe("payloads of the same event", () => {
  it("are made once per format", () => {
    const maker = new PayloadMaker(null);
    expect(maker.make("envelope", event)).toBe(maker.make("envelope", event));
    expect(maker.make("data", event)).not.toBe(maker.make("envelope", event));
  });

  it("are kept for a while, so many at most", () => {
    const maker = new PayloadMaker(null);
    const first = maker.make("data", event);
    const ids = Array.from({ length: 10 * maxKept }, (_, index) => `e2-${index}`);
    for (const id of ids) maker.make("data", { ...event, id });
    expect(maker.make("data", event)).not.toBe(first);
    const neighbours = ids.slice(0, 20).map((id) => maker.make("data", { ...event, id }));
    expect(ids.slice(0, 20).map((id) => maker.make("data", { ...event, id }))).toEqual(neighbours);
  });
});
