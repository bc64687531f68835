import type { IPublishPacket } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { MqttPublisher, type MqttPublisherOptions } from "../../src/index.ts";
import { upTo } from "../collector.ts";
import { House } from "../house.ts";
import { ScriptedBroker, type Peer, type Script } from "../scripted-broker.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const quick = { backOff: { minMs: 1, maxMs: 20 } };

async function arrange(
  script: Script,
  options: Partial<MqttPublisherOptions> = {},
): Promise<{ server: ScriptedBroker; house: House; publisher: MqttPublisher }> {
  const server = await ScriptedBroker.start(script);
  ends.push(() => server.end());
  const house = new House({ drain: { spreadMs: 0, deadlineMs: 100 } });
  ends.push(() => house.broker.close());
  const publisher = new MqttPublisher(house.broker, {
    url: server.url,
    topic: "t/{subject}",
    status: false,
    connection: quick,
    ...options,
  });
  return { server, house, publisher };
}

describe("an MQTT broker with a small Receive Maximum", () => {
  it.each([1, 2] as const)("never has more than that in flight, with QoS %i", async (qos) => {
    const held: (() => void)[] = [];
    const { server, house } = await arrange(
      {
        connack: () => ({ properties: { receiveMaximum: 5 } }),
        publish: (packet, peer) =>
          void (held.push(() => peer.acknowledge(packet)) === 5 && held.splice(0).forEach((answer) => answer())),
      },
      { qos },
    );
    await house.publish(...upTo(100));
    await server.until(() => server.numbers.length === 100);
    expect(server.peers.map(({ peak }) => peak)).toEqual([5]);
    expect(server.numbers).toEqual(upTo(100));
  });
});

describe("an MQTT broker that does not answer a connection", () => {
  it("is given up after the deadline, and tried again", async () => {
    const { server, house } = await arrange(
      { connack: () => null },
      { connection: { ...quick, connectTimeoutMs: 200 } },
    );
    const { error, retryInMs } = await house.seen("mqttDisconnected");
    expect(error).toMatchObject({ code: "timed_out", retryable: true });
    expect(retryInMs).toBe(0);
    await server.until(() => server.peers.length === 2);
  });

  it("is spoken to in 3.1.1 when it hangs up on MQTT 5", async () => {
    const { server, house } = await arrange({
      connack: (connect, peer) => (connect.protocolVersion === 5 ? (peer.socket.destroy(), null) : {}),
    });
    expect((await house.seen("mqttConnected")).version).toBe("3.1.1");
    expect(server.peers.map(({ version }) => version)).toEqual([5, 4]);
  });

  it("may say anything else: that is no answer", async () => {
    const { house } = await arrange({
      connack: (_connect, peer) => (peer.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), null),
    });
    const { error } = await house.seen("mqttDisconnected");
    expect(error.code).toMatch(/connection_failed|timed_out/);
  });
});

describe("an MQTT broker that acknowledges wrongly", () => {
  it("acknowledges nothing with an identifier that nobody used", async () => {
    const { server, house, publisher } = await arrange(
      { publish: (_packet, peer) => peer.send({ cmd: "puback", messageId: 9_999 }) },
      { connection: { ...quick, ackTimeoutMs: 100 } },
    );
    await house.publish(0, 1);
    await server.until(() => server.numbers.length >= 2);
    expect((await house.seen("mqttDisconnected")).error.code).toBe("timed_out");
    expect(publisher.position).toMatchObject({ offset: 0 });
  });

  it("is left when it answers QoS 1 with what answers a subscription", async () => {
    let isWrong = true;
    const { server, house } = await arrange({
      publish: (packet, peer) => {
        if (isWrong) peer.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0] });
        else peer.acknowledge(packet);
        isWrong = false;
      },
    });
    await house.publish(0, 1);
    expect((await house.seen("mqttDisconnected")).error).toMatchObject({ code: "connection_failed" });
    await server.until(() => server.peers.length === 2 && server.numbers.length >= 4);
    expect(server.numbers.slice(-2)).toEqual([0, 1]);
  });

  it("moves the place only as far as everything before is acknowledged", async () => {
    const packets: [IPublishPacket, Peer][] = [];
    const { server, house, publisher } = await arrange(
      { publish: (...packet) => void packets.push(packet) },
      { connection: { ...quick, ackTimeoutMs: 20_000 } },
    );
    await house.publish(0, 1, 2);
    await server.until(() => packets.length === 3);
    for (const index of [2, 1]) packets[index]?.[1].acknowledge(packets[index][0]);
    // A round trip later the answers above are read.
    packets[0]?.[1].send({ cmd: "pingresp" });
    await server.until(() => true);
    expect(publisher.position).toMatchObject({ offset: 0 });
    packets[0]?.[1].acknowledge(packets[0][0]);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 3 });
  });

  it("acknowledges 20 ms late, and still gets every event once and in order", async () => {
    const { server, house } = await arrange(
      { publish: (packet, peer) => void setTimeout(() => peer.acknowledge(packet), 20) },
      { maxInFlight: 32 },
    );
    await house.publish(...upTo(200));
    await server.until(() => server.numbers.length === 200);
    expect(server.numbers).toEqual(upTo(200));
    expect(server.peers[0]?.peak).toBe(32);
  });
});

describe("an MQTT broker that refuses a publication", () => {
  it.each([
    [0x90, "topic_unrenderable"],
    [0x99, "invalid_data"],
  ])("for ever (%i), loses that one, which is counted and told, and no other", async (reasonCode, code) => {
    const { server, house, publisher } = await arrange(
      { publish: (packet, peer) => peer.acknowledge(packet, packet.topic === "t/thing-1" ? reasonCode : 0) },
      { status: { topic: "s" } },
    );
    await house.publish(0, 1, 2);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 3 });
    const { epoch } = house.broker.position;
    expect(server.frames.filter(({ type }) => type === "client.gap").map(({ data }) => data)).toEqual([
      { after: `${epoch}-1`, through: `${epoch}-2`, reason: code },
    ]);
    expect(house.broker.stats()).toMatchObject({ eventsDropped: 1, dropped: { [code]: 1 } });
    expect((await house.seen("mqttEventLost")).id).toBe(`${epoch}-2`);
    expect(server.numbers).toEqual([0, 1, 2]);
  });

  // Mosquitto answers so what is above its `message_size_limit`, though 0x95 is not allowed there. With a long reason the
  // answer is read by mqtt.js, which reads no further: what was not answered is sent once more.
  it.each([
    ["", [0, 1, 2]],
    ["x".repeat(200), [0, 1, 2, 2]],
  ])("with a code that is not allowed, because of %j, loses that one, and no other", async (reason, numbers) => {
    const { server, house, publisher } = await arrange(
      {
        publish: (packet, peer) =>
          packet.topic === "t/thing-1" ? peer.acknowledgeRaw(packet, 0x95, reason) : peer.acknowledge(packet),
      },
      { status: { topic: "s" } },
    );
    await house.publish(0, 1, 2);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 3 });
    expect(server.numbers).toEqual(numbers);
    expect(house.broker.stats().dropped).toEqual({ event_too_large: 1 });
    expect(server.frames.filter(({ type }) => type === "client.gap")).toHaveLength(1);
  });

  it("for now, gets it again, and what came after it", async () => {
    let refusals = 2;
    const { server, house, publisher } = await arrange(
      {
        publish: (packet, peer) => peer.acknowledge(packet, packet.topic === "t/thing-1" && refusals-- > 0 ? 0x97 : 0),
      },
      { connection: { ...quick, longWaitMs: 10 } },
    );
    await house.publish(0, 1, 2);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 3 });
    expect(server.peers).toHaveLength(3);
    expect(server.numbers.slice(-2)).toEqual([1, 2]);
    expect(house.broker.eventsDropped).toBe(0);
    expect((await house.seen("mqttPublicationRefused")).error).toMatchObject({ code: "overloaded", reasonCode: 0x97 });
  });

  it("that is only its status, still gets the events", async () => {
    const { house, publisher } = await arrange(
      { publish: (packet, peer) => peer.acknowledge(packet, packet.topic === "s" ? 0x87 : 0) },
      { status: { topic: "s" } },
    );
    await house.publish(0, 1);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 2 });
    expect((await house.seen("mqttPublicationRefused")).label).toBe("status");
  });
});

describe("an MQTT broker that refuses the connection", () => {
  it.each([
    ["bad user name or password", 0x86],
    ["not authorized", 0x87],
  ])("for its credentials (%s) is not asked again until they are others", async (_name, reasonCode) => {
    let password = "old";
    const { server, house } = await arrange(
      { connack: ({ password: given }) => (given?.toString() === "new" ? {} : { reasonCode }) },
      { credentials: () => ({ username: "me", password }), connection: { ...quick, longWaitMs: 10 } },
    );
    const { error, retryInMs } = await house.seen("mqttDisconnected");
    expect(error).toMatchObject({ code: "not_authorized", reasonCode });
    expect(error.message).not.toMatch(/old|me"/);
    expect(retryInMs).toBeNull();
    // It has been asked many times by now, and always gave the same.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.peers).toHaveLength(1);
    password = "new";
    await house.seen("mqttConnected");
    expect(server.peers).toHaveLength(2);
  });

  it("for its version says which option needs MQTT 5", async () => {
    const { server, house } = await arrange(
      { connack: (_connect, peer) => ((peer.version = 4), { returnCode: 1 }) },
      {
        payload: { format: "cloudevents", source: "/catalog", mode: "binary" },
        connection: { ...quick, longWaitMs: 60_000 },
      },
    );
    const { error, retryInMs } = await house.seen("mqttDisconnected");
    expect(error).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining('`payload` with mode "binary" needs'),
    });
    expect(retryInMs).toBe(60_000);
    expect(server.peers).toHaveLength(1);
  });

  it.each([
    [{ maximumQoS: 0 as const }, /QoS 1 \(`qos`\), got one that takes 0/],
    [{ retainAvailable: false }, /retains, which `status` needs/],
  ])("for what it cannot (%j) says which option to change", async (properties, message) => {
    const { house } = await arrange({ connack: () => ({ properties }) }, { status: { topic: "s" } });
    expect((await house.seen("mqttDisconnected")).error).toMatchObject({ code: "unsupported", message });
  });
});

describe("an MQTT broker that ends a session", () => {
  it("for another client of the same id is left alone for a minute", async () => {
    const { house } = await arrange({ publish: (_packet, peer) => peer.send({ cmd: "disconnect", reasonCode: 0x8e }) });
    await house.publish(0);
    const { error, retryInMs } = await house.seen("mqttDisconnected");
    expect(error).toMatchObject({ code: "name_taken", reasonCode: 0x8e });
    expect(error.message).toContain("give each its own");
    expect(retryInMs).toBe(60_000);
  });

  it("after every publication gets everything in the end, once it stops that", async () => {
    let outages = 25;
    const { server, house, publisher } = await arrange({
      publish: (packet, peer) => {
        if (outages-- > 0) peer.socket.resetAndDestroy();
        else peer.acknowledge(packet);
      },
    });
    await house.publish(...upTo(50));
    await expect.poll(() => publisher.position).toMatchObject({ offset: 50 });
    expect([...new Set(server.numbers)]).toEqual(upTo(50));
  });
});

describe("an MQTT broker that is lost before it acknowledged", () => {
  async function lostAfter(count: number, options: Partial<MqttPublisherOptions>, publish: (house: House) => unknown) {
    let isThere = false;
    const arranged = await arrange({ publish: (packet, peer) => isThere && peer.acknowledge(packet) }, options);
    const { server, house, publisher } = arranged;
    await house.publish(0);
    await publish(house);
    await server.until(() => server.published.filter(({ retain }) => !retain).length === count);
    isThere = true;
    server.peers[0]?.socket.destroy();
    await expect.poll(() => publisher.position, { timeout: 20_000 }).toMatchObject({ offset: 2 });
    return arranged;
  }

  it("gets nothing of QoS 0 again, though it is offered again with the rest", async () => {
    const { server } = await lostAfter(2, { rules: [{ types: ["test.once"], qos: 0 }] }, ({ broker }) =>
      broker.publish("test.once", { n: 1 }, { subject: "once" }),
    );
    expect(server.numbers).toEqual([0, 1, 0]);
  });

  it("is told of a loss again, which is counted once", async () => {
    const { server, house } = await lostAfter(2, { status: { topic: "s", everyMs: 100 } }, ({ broker }) =>
      broker.publish("test.nameless", {}),
    );
    expect(server.frames.filter(({ type }) => type === "client.gap")).toHaveLength(2);
    expect(house.broker.stats().dropped).toEqual({ topic_unrenderable: 1 });
    await server.until(() => server.frames.at(-1)?.data["eventsDropped"] === 1);
  });
});

describe("an MQTT broker with a small Maximum Packet Size", () => {
  it("is never sent a larger one: that event is lost, counted and told", async () => {
    const { server, house, publisher } = await arrange(
      { connack: () => ({ properties: { maximumPacketSize: 400 } }) },
      { status: { topic: "s" } },
    );
    await house.broker.publish("test.numbered", { n: 0, padding: "x".repeat(400) }, { subject: "big" });
    await house.publish(1);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 2 });
    expect(server.numbers).toEqual([1]);
    expect(house.broker.stats().dropped).toEqual({ event_too_large: 1 });
    expect(server.frames.filter(({ type }) => type === "client.gap")).toHaveLength(1);
  });
});
