import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Mosquitto } from "../../../tests/mosquitto.ts";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher } from "../src/index.ts";
import { Collector, upTo } from "./collector.ts";
import { House } from "./house.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

describe("topic aliases", () => {
  it.each([
    [true, 3],
    [true, 0],
    [false, 3],
  ])(
    "%s, with an MQTT broker that allows %i: every event is under its own topic",
    async (topicAliases, topicAliasMaximum) => {
      const server = await ScriptedBroker.start({ connack: () => ({ properties: { topicAliasMaximum } }) });
      const house = new House();
      new MqttPublisher(house.broker, {
        url: server.url,
        topic: "t/{subject}",
        status: false,
        connection: { topicAliases },
      });
      const subjects = upTo(200).map((n) => `thing-${(n * n) % 7}`);
      for (const [n, subject] of subjects.entries()) await house.broker.publish("test.numbered", { n }, { subject });
      await server.until(() => server.published.length === 200);
      const names = new Map<number, string>();
      const topics = server.published.map(({ topic, properties }) => {
        const alias = properties?.topicAlias ?? 0;
        if (topic !== "") names.set(alias, topic);
        return topic === "" ? names.get(alias) : topic;
      });
      expect(topics).toEqual(subjects.map((subject) => `t/${subject}`));
      expect(server.published.some(({ topic }) => topic === "")).toBe(topicAliases && topicAliasMaximum > 0);
      await house.broker.close();
      await server.end();
    },
  );
});

/** Passes everything on to a port, and counts the bytes on the way there. */
async function slowLine(port: number) {
  let bytes = 0;
  const server = createServer((socket) => {
    const onward = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => void (bytes += chunk.length));
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward]) each.on("error", () => void (socket.destroy(), onward.destroy()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, bytes: () => bytes, end: () => server.close() };
}

describeWith("mosquitto", "topic aliases at Mosquitto", (program) => {
  // Eleven topics, more than it allows: the ones used last have an alias.
  it.each([3, 10, 65_535, 0])("of which it allows %i, leave every event under its own topic", async (allowed) => {
    const mosquitto = await Mosquitto.start(program, [`max_topic_alias ${allowed}`]);
    const collector = await Collector.of(mosquitto.url, "#");
    const line = await slowLine(mosquitto.port);
    const house = new House();
    const prefix = "a-long-name/".repeat(40);
    new MqttPublisher(house.broker, {
      url: line.url,
      topic: `${prefix}{subject}`,
      status: false,
      connection: { topicAliases: true },
    });
    const subjects = upTo(400).map((n) => `thing-${n % 10 === 9 ? n % 11 : n % 3}`);
    for (const [n, subject] of subjects.entries()) await house.broker.publish("test.numbered", { n }, { subject });
    await collector.until(() => collector.received.length === 400);
    expect(collector.received.map(({ topic }) => topic)).toEqual(subjects.map((subject) => prefix + subject));
    const named = line.bytes() / (400 * prefix.length);
    if (allowed === 0) expect(named).toBeGreaterThan(1);
    else expect(named).toBeLessThan(0.6);
    await house.broker.close();
    await collector.end();
    line.end();
    await mosquitto.end();
  });
});
