import { describe, expect, it } from "vitest";
import { MqttPublisher } from "../src/index.ts";
import { upTo } from "./collector.ts";
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
