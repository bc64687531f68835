import { describe, expect, it } from "vitest";
import { LogEvent } from "../event/log-event.ts";
import { cloudEventAttributes, cloudEvents, cloudEventText } from "./cloudevents.ts";

const source = "https://api.example/catalog?region=eu";

function eventOf(facts: { readonly subject?: string; readonly data?: unknown }): LogEvent {
  const json = JSON.stringify(facts.data ?? null);
  return new LogEvent("k3f9", 7, "2026-01-02T03:04:05.678Z", {
    type: "model.added",
    subject: facts.subject,
    json,
    sizeBytes: json.length,
  });
}

describe("a structured CloudEvent", () => {
  it("holds every required attribute, the subject and the data", () => {
    const event = eventOf({ subject: 'acme "one"/ü', data: { model: { id: "one", price: 0.5 } } });
    expect(JSON.parse(cloudEventText(event, source))).toEqual({
      specversion: "1.0",
      id: "k3f9-7",
      source,
      type: "model.added",
      time: "2026-01-02T03:04:05.678Z",
      subject: 'acme "one"/ü',
      datacontenttype: "application/json",
      data: { model: { id: "one", price: 0.5 } },
    });
  });

  it("leaves the subject out when there is none, and keeps null data", () => {
    const parsed: unknown = JSON.parse(cloudEventText(eventOf({}), source));
    expect(parsed).not.toHaveProperty("subject");
    expect(parsed).toHaveProperty("data", null);
  });

  it("is UTF-8 bytes made once per event", () => {
    const encoding = cloudEvents({ source });
    const event = eventOf({ data: "ü" });
    expect(new TextDecoder().decode(event.bytes(encoding))).toBe(cloudEventText(event, source));
    expect(event.bytes(encoding)).toBe(event.bytes(encoding));
  });

  it.each(["", "a b", "a\n", "ü", "%zz", "{x}", 7, undefined, "x".repeat(1_025)])("refuses the source %j", (wrong) => {
    expect(() => cloudEvents({ source: wrong as string })).toThrow(/Expected `source` to be a URI reference/);
  });
});

describe("the attributes of a binary CloudEvent", () => {
  it("are named as the specification names them, and do not repeat the content type", () => {
    expect(cloudEventAttributes(eventOf({ subject: "one" }), source)).toEqual([
      ["specversion", "1.0"],
      ["id", "k3f9-7"],
      ["source", source],
      ["type", "model.added"],
      ["time", "2026-01-02T03:04:05.678Z"],
      ["subject", "one"],
    ]);
    expect(cloudEventAttributes(eventOf({}), source).map(([name]) => name)).not.toContain("subject");
  });
});
