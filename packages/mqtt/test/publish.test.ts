import { afterEach, describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher, type MqttPublisherOptions } from "../src/index.ts";
import { Collector, firstSeen, upTo } from "./collector.ts";
import { House, startAedes } from "./house.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function describePublishing(
  name: string,
  version: "5" | "3.1.1",
  start: () => Promise<{ readonly url: string; end(): Promise<void> }>,
): void {
  describe(name, () => {
    async function arrange(
      options: Partial<MqttPublisherOptions> = {},
    ): Promise<{ house: House; publisher: MqttPublisher; collector: Collector }> {
      const server = await start();
      ends.push(() => server.end());
      const collector = await Collector.of(server.url, "#", { protocolVersion: version === "5" ? 5 : 4 });
      ends.push(() => collector.end());
      const house = new House();
      ends.push(() => house.broker.close());
      return {
        house,
        collector,
        publisher: new MqttPublisher(house.broker, { url: server.url, topic: "t/{type:levels}/{subject}", ...options }),
      };
    }

    it.each([0, 1, 2] as const)("brings every event once and in order with QoS %i", async (qos) => {
      const { house, collector } = await arrange({ qos });
      await house.publish(...upTo(500));
      await collector.until(() => collector.events.length >= 500);
      expect(collector.events.map(({ data }) => data.n)).toEqual(upTo(500));
      expect((await house.seen("mqttConnected")).version).toBe(version);
    });

    it("says the whole event on the topic of its template", async () => {
      const { house, collector } = await arrange();
      const event = await house.broker.publish("model.added", { n: 1 }, { subject: "acme/one" });
      await collector.until(() => collector.events.length > 0);
      const { topic, text } = collector.received.find(({ topic: each }) => each.startsWith("t/")) ?? {};
      expect(topic).toBe("t/model/added/acme%2Fone");
      expect(JSON.parse(text ?? "")).toEqual(JSON.parse(JSON.stringify(event)));
    });

    it("says when it is there, and when it has left", async () => {
      const { house, collector } = await arrange({ status: { topic: "s" } });
      await house.publish(0);
      await collector.until(() => collector.events.length > 0);
      await house.broker.close();
      await collector.until(() => collector.frames.some(({ data }) => data["state"] === "closed"));
      const statuses = collector.received.filter(({ topic }) => topic === "s").map(({ text }) => JSON.parse(text));
      expect(statuses[0]).toMatchObject({
        type: "client.status",
        data: { state: "online", mirror: null, eventsDropped: 0, lastLoss: null },
      });
      expect(statuses.at(-1)).toMatchObject({
        data: { state: "closed", position: `${house.broker.position.epoch}-1` },
      });
    });

    it("lets a close finish what was published before it", async () => {
      const { house, collector } = await arrange({ maxInFlight: 2 });
      await house.publish(...upTo(300));
      await house.broker.close();
      await collector.until(() => collector.events.length >= 300);
      expect(firstSeen(collector.events)).toEqual(upTo(300));
      expect(house.moments.find(({ kind }) => kind === "drainCompleted")).toMatchObject({ undone: [] });
    });
  });
}

describePublishing("publishing to aedes, with MQTT 3.1.1", "3.1.1", startAedes);
describeWith("mosquitto", "publishing to Mosquitto", (program) => {
  describePublishing("with MQTT 5", "5", () => Mosquitto.start(program));
});
