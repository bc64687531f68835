import { Broker, defineEvents, event } from "@starcast/core";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { Mosquitto } from "../../../tests/mosquitto.ts";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher, type StateOptions } from "../src/index.ts";
import { Collector } from "./collector.ts";
import { startAedes } from "./house.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const things = defineEvents({
  "thing.set": event<{ id: string; text: string }>({ subject: ({ id }) => id, state: ({ text }) => text }),
});

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function house(url: string, state: StateOptions) {
  const refused: string[] = [];
  const broker = new Broker({
    events: things,
    observe: [(moment) => void (moment.kind === "mqttPublicationRefused" && refused.push(moment.label))],
    drain: { spreadMs: 0, deadlineMs: 2_000 },
  });
  ends.push(() => broker.close());
  const publisher = new MqttPublisher(broker, {
    url,
    topic: "t/{subject}",
    status: { topic: "status" },
    state,
    connection: { backOff: { minMs: 1, maxMs: 1 } },
  });
  return { broker, publisher, refused };
}

describe("what somebody else retains beside the mirror", () => {
  it.each([
    ["models/m-{subject}", "models/m-ghost", "models/other"],
    ["models/{subject}.state", "models/ghost.state", "models/ghost-state"],
    ["models/{subject:levels}/state", "models/a/ghost/state", "models/a/ghost/settings"],
  ])("stays when %s is resynced; ghosts go", async (topic, ghost, foreign) => {
    const { url, end } = await startAedes();
    ends.push(end);
    const neighbour = await connectAsync(url);
    await neighbour.publishAsync(ghost, "1", { retain: true, qos: 1 });
    await neighbour.publishAsync(foreign, "1", { retain: true, qos: 1 });
    await neighbour.endAsync();
    const { publisher } = house(url, { topic });
    await publisher.resync(new Map());
    const late = await Collector.of(url, "models/#", { protocolVersion: 4 });
    await late.until(() => late.received.length > 0);
    await late.settle();
    await late.end();
    expect(late.received.map((message) => message.topic)).toEqual([foreign]);
  });
});

describe("a resync of which the MQTT broker refuses a topic", () => {
  it("rejects, and the mirror is stale, not exact", async () => {
    const server = await ScriptedBroker.start({
      publish: (packet, peer) => peer.acknowledge(packet, packet.topic === "models/b" ? 0x87 : 0),
    });
    ends.push(() => server.end());
    const { publisher, refused } = house(server.url, { topic: "models/{subject}" });
    await expect(publisher.resync([1, 2].map((n) => [n === 1 ? "a" : "b", n] as const))).rejects.toMatchObject({
      code: "not_authorized",
    });
    expect(refused).toEqual(["models/b"]);
    await server.until(() => server.published.some(({ payload }) => payload.includes('"mirror":"stale"')));
    expect(server.published.some(({ payload }) => payload.includes('"mirror":"exact"'))).toBe(false);
  });
});

describe("a state that is larger than the MQTT broker takes", () => {
  it("is not sent where the limit was told: the mirror is stale, events go on", async () => {
    const server = await ScriptedBroker.start({ connack: () => ({ properties: { maximumPacketSize: 1_000 } }) });
    ends.push(() => server.end());
    const { broker, publisher } = house(server.url, {
      topic: "models/{subject}",
      snapshot: () => new Map([["large", "x".repeat(2_000)]]),
    });
    await expect(publisher.resync()).rejects.toMatchObject({ code: "event_too_large" });
    const { offset } = await broker.publish("thing.set", { id: "small", text: "x" }).then(() => broker.position);
    await expect.poll(() => publisher.position?.offset, { timeout: 20_000 }).toBe(offset);
    expect([server.peers.length, server.published.some(({ topic }) => topic === "models/large")]).toEqual([1, false]);
  });
});

describeWith("mosquitto", "a state above a limit that Mosquitto does not tell", (program) => {
  it("ends one connection, not every one: the mirror is stale, events go on", async () => {
    const mosquitto = await Mosquitto.start(program, ["message_size_limit 1000"]);
    ends.push(() => mosquitto.end());
    let snapshots = 0;
    const { broker, publisher } = house(mosquitto.url, {
      topic: "models/{subject}",
      snapshot: () => {
        snapshots += 1;
        return new Map([["large", "x".repeat(2_000)]]);
      },
    });
    await broker.publish("thing.set", { id: "small", text: "x" });
    await expect.poll(() => publisher.position?.offset, { timeout: 20_000 }).toBe(1);
    expect(snapshots).toBe(1);
    const status = await Collector.of(mosquitto.url, "status", { protocolVersion: 5 });
    await status.until(() => status.frames.some(({ data }) => data["mirror"] === "stale"));
    await status.end();
  });
});
