import { afterEach, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher, type MqttPublisherOptions } from "../src/index.ts";
import { Collector, firstSeen, upTo } from "./collector.ts";
import { House } from "./house.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describeWith("mosquitto", "while Mosquitto goes away and comes back", (program) => {
  // The waits between attempts are longer than the test: it says itself when to come back, after the collector.
  const patient = { backOff: { minMs: 60_000, maxMs: 60_000 } };

  async function arrange(
    options: Partial<MqttPublisherOptions> = {},
  ): Promise<{ house: House; publisher: MqttPublisher; collector: Collector; mosquitto: Mosquitto }> {
    const mosquitto = await Mosquitto.start(program);
    ends.push(() => mosquitto.end());
    const collector = await Collector.of(mosquitto.url, "#");
    ends.push(() => collector.end());
    const house = new House();
    ends.push(() => house.broker.close());
    const publisher = new MqttPublisher(house.broker, {
      url: mosquitto.url,
      topic: "t/{subject}",
      connection: patient,
      ...options,
    });
    return { house, collector, mosquitto, publisher };
  }

  it.each([
    ["5", 1],
    ["5", 2],
    ["3.1.1", 1],
    ["3.1.1", 2],
  ] as const)("publishes everything in order over a kill, with MQTT %s and QoS %i", async (protocol, qos) => {
    const { house, collector, mosquitto, publisher } = await arrange({ qos, connection: { ...patient, protocol } });
    for (let round = 0; round < 3; round += 1) {
      const from = round * 300;
      const publishing = house.publish(...upTo(300).map((n) => n + from));
      await collector.until(() => collector.events.length > from + 50);
      await mosquitto.kill();
      await house.seen("mqttDisconnected");
      house.moments.length = 0;
      await publishing;
      await mosquitto.start();
      await collector.connect(mosquitto.url, "#");
      publisher.reconnect();
      await collector.until(() => new Set(collector.events.map(({ id }) => id)).size === from + 300);
    }
    expect(firstSeen(collector.events)).toEqual(upTo(900));
    await house.publish(900);
    await collector.until(() => collector.events.at(-1)?.data.n === 900);
    expect(house.broker.eventsDropped).toBe(0);
  });

  it("publishes everything in order over a freeze that no connection survives", async () => {
    const { house, collector, mosquitto, publisher } = await arrange({
      maxInFlight: 8,
      connection: { ...patient, connectTimeoutMs: 1_000, ackTimeoutMs: 1_000 },
    });
    await house.publish(...upTo(20));
    await collector.until(() => collector.events.length === 20);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 20 });
    await mosquitto.freeze();
    await house.publish(...upTo(300).map((n) => n + 20));
    const broken = await house.seen("mqttDisconnected");
    expect(broken.error).toMatchObject({ code: "timed_out", message: /acknowledge within 1000 ms/ });
    expect(publisher.position).toEqual({ epoch: house.broker.position.epoch, offset: 20 });
    // It accepts connections, as the kernel does it, and says nothing.
    const refused = house.moments.length;
    publisher.reconnect();
    expect((await house.seen("mqttDisconnected", refused)).error).toMatchObject({
      code: "timed_out",
      message: /answer within 1000 ms/,
    });
    mosquitto.thaw();
    publisher.reconnect();
    await collector.until(() => firstSeen(collector.events).length === 320);
    expect(firstSeen(collector.events)).toEqual(upTo(320));
  });

  it("goes on by itself, within the back-off", async () => {
    const { house, collector, mosquitto } = await arrange({ connection: { backOff: { minMs: 50, maxMs: 200 } } });
    await house.publish(0);
    await collector.until(() => collector.events.length === 1);
    await mosquitto.kill();
    await house.publish(1, 2, 3);
    await mosquitto.start();
    await collector.connect(mosquitto.url, "#");
    await house.publish(4);
    // What came before the collector did is not repeated to it; the newest one is behind it.
    await collector.until(() => collector.events.at(-1)?.data.n === 4);
    expect(house.broker.eventsDropped).toBe(0);
  });

  it("sends QoS 0 at most once", async () => {
    const { house, collector, mosquitto, publisher } = await arrange({ qos: 0 });
    await house.publish(...upTo(100));
    await collector.until(() => collector.events.length === 100);
    await mosquitto.kill();
    await house.seen("mqttDisconnected");
    await house.publish(...upTo(100).map((n) => n + 100));
    await mosquitto.start();
    await collector.connect(mosquitto.url, "#");
    publisher.reconnect();
    await collector.until(() => collector.events.length === 200);
    expect(collector.events.map(({ data }) => data.n)).toEqual(upTo(200));
  });

  it("tells a gap of the log on the status topic, and publishes what is still there", async () => {
    const { house, collector, mosquitto, publisher } = await arrange({ status: { topic: "s" } });
    await house.publish(0);
    await collector.until(() => collector.events.length === 1);
    await mosquitto.kill();
    await house.seen("mqttDisconnected");
    // The log of this house keeps 10,000 events.
    for (let from = 0; from < 12_000; from += 2_000) await house.publish(...upTo(2_000).map((n) => n + from + 1));
    await mosquitto.start();
    await collector.connect(mosquitto.url, "#");
    publisher.reconnect();
    await collector.until(() => collector.events.at(-1)?.data.n === 12_000);
    const { epoch } = house.broker.position;
    const gaps = collector.frames.filter(({ type }) => type === "client.gap");
    expect(gaps).toEqual([
      expect.objectContaining({ data: { after: `${epoch}-1`, through: `${epoch}-2001`, reason: "trimmed" } }),
    ]);
    expect(firstSeen(collector.events)).toEqual([0, ...upTo(10_000).map((n) => n + 2_001)]);
    expect(house.broker.eventsDropped).toBe(2_000);
  });

  it("loses only the event that is above its limit", async () => {
    const { house, collector, mosquitto, publisher } = await arrange({
      status: { topic: "s" },
      connection: { ...patient, backOff: { minMs: 1, maxMs: 10 } },
    });
    await house.publish(0);
    await collector.until(() => collector.events.length === 1);
    await mosquitto.kill();
    await mosquitto.start(["message_size_limit 500"]);
    await collector.connect(mosquitto.url, "#");
    await house.broker.publish("test.numbered", { n: 1, padding: "x".repeat(1_000) }, { subject: "big" });
    await house.publish(2, 3);
    await collector.until(() => collector.events.at(-1)?.data.n === 3);
    expect(firstSeen(collector.events)).toEqual([0, 2, 3]);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 4 });
    expect(house.broker.stats().dropped).toEqual({ event_too_large: 1 });
    expect(collector.frames.filter(({ type }) => type === "client.gap")).toHaveLength(1);
  });

  it("lets its will say that the connection broke", async () => {
    const { collector, mosquitto, publisher, house } = await arrange({
      status: { topic: "s" },
      connection: { clientId: "twin" },
    });
    await house.publish(0);
    await collector.until(() => collector.events.length === 1);
    const late = await Collector.of(mosquitto.url, "s");
    ends.push(() => late.end());
    await late.until(() => late.frames.length > 0);
    expect(late.frames[0]?.data).toMatchObject({ state: "online" });
    // A second client of the same id throws it out.
    const twin = await Collector.of(mosquitto.url, "none", { clientId: "twin" });
    ends.push(() => twin.end());
    await late.until(() => late.frames.some(({ data }) => data["state"] === "lost"));
    expect(late.frames.at(-1)).toMatchObject({
      type: "client.status",
      data: { state: "lost", position: expect.any(String) },
    });
    expect((await house.seen("mqttDisconnected")).error.code).toBe("connection_failed");
    expect(publisher.isConnected).toBe(false);
  });
});
