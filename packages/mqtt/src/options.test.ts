import { describe, expect, it } from "vitest";
import { resolveMqttPublisherOptions, type MqttPublisherOptions } from "./options.ts";

const least = { url: "mqtt://host", topic: "t/{type}" };

describe("the options of a publisher", () => {
  it("need a url and a topic, and have a default for everything else", () => {
    expect(resolveMqttPublisherOptions(least)).toMatchObject({
      name: "mqtt",
      maxInFlight: 256,
      maxEventsPerSecond: Infinity,
      state: null,
      status: { topic: "starcast/mqtt/status", everyMs: 10_000 },
      connection: { protocol: "auto", keepaliveSeconds: 60, backOff: { minMs: 1_000, maxMs: 30_000 } },
      rules: [{ qos: 1, retain: false, payload: { kind: "envelope" } }],
      needsVersion5: [],
    });
  });

  it.each<[string, object, RegExp]>([
    ["an unknown key", { topics: "t" }, /did you mean `topic`/],
    ["a fourth QoS", { qos: 3 }, /`qos` to be 0, 1 or 2/],
    ["a QoS that is not a number", { qos: "1" }, /`qos` to be 0, 1 or 2/],
    ["an empty window", { maxInFlight: 0 }, /`maxInFlight` to be an integer from 1 to 65535/],
    ["a window of NaN", { maxInFlight: NaN }, /`maxInFlight`/],
    ["a window without end", { maxInFlight: Infinity }, /`maxInFlight`/],
    ["no rate at all", { maxEventsPerSecond: 0 }, /`maxEventsPerSecond`/],
    ["a topic with wildcards", { topic: "a/#" }, /`topic` to be a template without wildcards/],
    ["a name with slashes", { name: "a/b" }, /`name`/],
    ["an unknown payload", { payload: "xml" }, /`payload`/],
    ["a CloudEvent without a source", { payload: { format: "cloudevents" } }, /`source`/],
    ["an unknown mode", { payload: { format: "cloudevents", source: "/", mode: "batch" } }, /`payload.mode`/],
    ["an expiry of half a second", { expirySeconds: 0.5 }, /`expirySeconds`/],
    ["a content type with a line break", { contentType: "a\nb" }, /`contentType`/],
    ["a trace that is a text", { traceparent: "00-1-2-01" }, /`traceparent` to be a function/],
    ["a rule without types", { rules: [{ qos: 1 }] }, /`rules\[0\].types`/],
    ["a rule with a bad pattern", { rules: [{ types: ["model"] }] }, /type pattern/],
    ["a rule with a bad topic", { rules: [{ types: ["**"], topic: "$SYS" }] }, /`rules\[0\].topic`/],
    ["too many rules", { rules: Array.from({ length: 65 }, () => ({ types: ["**"] })) }, /at most 64 rules/],
    ["a state of several placeholders", { state: { topic: "m/{type}/{subject}" } }, /no other placeholder/],
    ["a state without a subject", { state: { topic: "m" } }, /with \{subject\}/],
    ["a snapshot that is no function", { state: { topic: "m/{subject}", snapshot: new Map() } }, /`state.snapshot`/],
    ["a status with placeholders", { status: { topic: "s/{type}" } }, /without placeholders/],
    [
      "a status among the states, which a resync would clear",
      { state: { topic: "starcast/{subject:levels}" } },
      /`status.topic` to be outside of `state.topic` \(starcast\/\{subject:levels\}\)/,
    ],
    ["TLS without TLS", { connection: { tls: {} } }, /only with a url of mqtts or wss/],
    ["headers without a websocket", { connection: { headers: { a: "b" } } }, /only with a url of ws or wss/],
    ["half a client certificate", { url: "mqtts://host", connection: { tls: { cert: "x" } } }, /both `cert` and `key`/],
    [
      "a back-off upside down",
      { connection: { backOff: { minMs: 10, maxMs: 5 } } },
      /at least connection.backOff.minMs \(10\)/,
    ],
    ["an empty client id", { connection: { clientId: "" } }, /`connection.clientId`/],
    ["an unknown protocol", { connection: { protocol: "3.1" } }, /"auto" or "5" or "3.1.1"/],
    ["credentials without a user", { credentials: { password: "hush" } }, /`credentials`/],
    ["a type pattern that is none", { types: ["model"] }, /type pattern/],
  ])("refuse %s", (_what, options, message) => {
    // What a JavaScript user can write.
    expect(() => resolveMqttPublisherOptions({ ...least, ...options } as MqttPublisherOptions)).toThrow(message);
  });

  it("never repeat a password", () => {
    const wrong = { ...least, credentials: { user: "me", password: "hush" } } as unknown as MqttPublisherOptions;
    expect(() => resolveMqttPublisherOptions(wrong)).not.toThrow(/hush/);
  });

  it.each<[string, Partial<MqttPublisherOptions>, string]>([
    [
      "binary CloudEvents",
      { payload: { format: "cloudevents", source: "/", mode: "binary" } },
      '`payload` with mode "binary"',
    ],
    ["an expiry", { expirySeconds: 1 }, "`expirySeconds`"],
    ["a trace", { traceparent: () => undefined }, "`traceparent`"],
    ["a content type in a rule", { rules: [{ types: ["**"], contentType: "a/b" }] }, "`rules[0].contentType`"],
  ])("say that %s needs MQTT 5", (_what, options, need) => {
    expect(resolveMqttPublisherOptions({ ...least, ...options }).needsVersion5).toEqual([need]);
    expect(() => resolveMqttPublisherOptions({ ...least, ...options, connection: { protocol: "3.1.1" } })).toThrow(
      `Expected \`connection.protocol\` to be "5" or "auto", which ${need} needs`,
    );
  });
});
