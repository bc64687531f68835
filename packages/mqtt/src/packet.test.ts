import { LogEvent, type Event } from "@starcast/core";
import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { packetBytesAtMost } from "./message.ts";
import { resolveMqttPublisherOptions, type MqttPublisherOptions } from "./options.ts";
import { Packets } from "./packet.ts";

function render(options: Partial<MqttPublisherOptions>, type = "model.added", data: unknown = { n: 1 }) {
  const { rules } = resolveMqttPublisherOptions({ url: "mqtt://host", topic: "t/{type}", ...options });
  const json = JSON.stringify(data);
  const draft = { type, subject: "one", json, sizeBytes: json.length };
  return new Packets(rules).render(new LogEvent("k3f9", 7, "2026-01-02T03:04:05.678Z", draft));
}

describe("an event as a publication", () => {
  it("is the envelope, without properties, by default", () => {
    expect(render({})).toEqual({
      topic: "t/model.added",
      payload:
        '{"id":"k3f9-7","type":"model.added","timestamp":"2026-01-02T03:04:05.678Z","subject":"one","data":{"n":1}}',
      qos: 1,
      retain: false,
      properties: undefined,
    });
  });

  it("is the data only", () => {
    expect(render({ payload: "data" })).toMatchObject({ payload: '{"n":1}', properties: undefined });
  });

  it("is a structured CloudEvent", () => {
    const { payload, properties } = render({ payload: { format: "cloudevents", source: "/catalog" } });
    expect(JSON.parse(payload)).toMatchObject({ specversion: "1.0", id: "k3f9-7", source: "/catalog", data: { n: 1 } });
    expect(properties).toEqual({ contentType: "application/cloudevents+json; charset=utf-8" });
  });

  it("is a binary CloudEvent: attributes as user properties", () => {
    const { payload, properties } = render({ payload: { format: "cloudevents", source: "/catalog", mode: "binary" } });
    expect(payload).toBe('{"n":1}');
    expect(properties).toEqual({
      contentType: "application/json",
      userProperties: {
        specversion: "1.0",
        id: "k3f9-7",
        source: "/catalog",
        type: "model.added",
        time: "2026-01-02T03:04:05.678Z",
        subject: "one",
      },
    });
  });

  describe("of a trace", () => {
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const traceparent = ({ data }: Event) => (data as { readonly trace: string }).trace;

    it.each(["envelope", "data", { format: "cloudevents", source: "/", mode: "binary" }] as const)(
      "names it in a user property, with payload %j",
      (payload) => {
        const { properties } = render({ payload, traceparent }, "model.added", { trace });
        expect(properties?.userProperties).toMatchObject({ traceparent: trace });
      },
    );

    it("names it as an attribute of a structured CloudEvent, which is no matter of MQTT 5", () => {
      const options = { payload: { format: "cloudevents", source: "/" }, traceparent } as const;
      const { payload, properties } = render({ ...options, connection: { protocol: "3.1.1" } }, "model.added", {
        trace,
      });
      expect(JSON.parse(payload)).toMatchObject({ specversion: "1.0", data: { trace }, traceparent: trace });
      expect(properties).not.toHaveProperty("userProperties");
    });

    it.each([
      undefined,
      7,
      "",
      trace.toUpperCase(),
      `${trace}-`,
      `ff${trace.slice(2)}`,
      trace.replace(/b7.*1-/, `${"0".repeat(16)}-`),
    ])("goes without one that is none: %j", (wrong) =>
      expect(render({ traceparent }, "model.added", { trace: wrong }).properties).toBeUndefined(),
    );

    it("goes without one when looking for it fails", () => {
      expect(render({ traceparent }, "model.added", null).properties).toBeUndefined();
    });
  });

  it("follows the first rule that matches its type, and the publisher's own options for the rest", () => {
    const options: Partial<MqttPublisherOptions> = {
      qos: 0,
      contentType: "application/json",
      rules: [
        { types: ["model.deleted"], qos: 2, retain: true, topic: "gone/{subject}", expirySeconds: 60 },
        { types: ["model.*"], payload: "data" },
      ],
    };
    expect(render(options, "model.deleted")).toMatchObject({
      topic: "gone/one",
      qos: 2,
      retain: true,
      properties: { contentType: "application/json", messageExpiryInterval: 60 },
    });
    expect(render(options, "model.added")).toMatchObject({ topic: "t/model.added", qos: 0, payload: '{"n":1}' });
    expect(render(options, "sync.completed")).toMatchObject({
      qos: 0,
      retain: false,
      payload: expect.stringMatching(/^\{"id"/),
    });
  });

  it("is never larger than was counted, and not much smaller", () => {
    for (const length of [0, 1, 100, 127, 128, 16_400, 70_000]) {
      for (const payload of ["data", { format: "cloudevents", source: "/catalog", mode: "binary" }] as const) {
        const message = render({ payload, expirySeconds: 5 }, "model.added", "é".repeat(length));
        const { topic, qos, retain } = message;
        const { userProperties, ...rest } = message.properties ?? {};
        const properties = userProperties === undefined ? rest : { ...rest, userProperties: { ...userProperties } };
        const fields = { topic, payload: message.payload, qos, retain, messageId: 1, dup: false, properties };
        const bytes = generate({ cmd: "publish", ...fields }, { protocolVersion: 5 }).length;
        expect(packetBytesAtMost(message)).toBeGreaterThanOrEqual(bytes);
        expect(packetBytesAtMost(message) - bytes).toBeLessThan(20);
      }
    }
  });
});
