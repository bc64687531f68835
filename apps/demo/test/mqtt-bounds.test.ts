import { connectAsync } from "mqtt";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { maxRetained, MirrorReader } from "../src/receivers/mirror-reader.ts";
import { EmbeddedMqttBroker, maxHeld } from "../src/services/embedded-mqtt-broker.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function startBroker(): Promise<EmbeddedMqttBroker> {
  const broker = await EmbeddedMqttBroker.start("first", null);
  ends.push(() => broker.close());
  return broker;
}

/** A client by hand, whose publications leave in one piece and are read in one. */
async function rawClient(url: string, id: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => undefined);
  ends.push(async () => socket.destroy());
  const body = Buffer.from(`\0\x04MQTT\x04\x02\0\0\0${String.fromCharCode(id.length)}${id}`, "latin1");
  socket.write(Buffer.concat([Buffer.of(0x10, body.length), body]));
  await once(socket, "data");
  return socket;
}

describe("an MQTT broker that hangs", () => {
  it("holds so many publications, cuts off who sends more, and passes on what it held when it is back", async () => {
    const broker = await startBroker();
    let received = 0;
    const device = await connectAsync(broker.url, { protocolVersion: 4 });
    ends.push(() => device.endAsync(true));
    device.on("message", () => (received += 1));
    await device.subscribeAsync("t", { qos: 0 });
    broker.freeze();
    const each = maxHeld / 10;
    const publications = Buffer.alloc(5 * each, Buffer.of(0x30, 3, 0, 1, 0x74));
    const cutOff: Promise<unknown>[] = [];
    for (let n = 0; n <= 10; n += 1) {
      const client = await rawClient(broker.url, `client-${n}`);
      cutOff.push(once(client, "close"));
      client.write(publications);
    }
    await Promise.race(cutOff);
    expect(received).toBe(0);
    broker.thaw();
    await expect.poll(() => received).toBe(maxHeld);
  });
});

describe("who reads the mirror", () => {
  it("keeps so many topics apart, and no more", async () => {
    const broker = await startBroker();
    const reader = await MirrorReader.connect(broker.url, "models/#");
    ends.push(() => reader.close());
    const publisher = await connectAsync(broker.url, { protocolVersion: 4 });
    ends.push(() => publisher.endAsync(true));
    for (let n = 0; n <= maxRetained; n += 1) publisher.publish(`models/${n}`, "{}", { qos: 0 });
    await expect.poll(() => reader.size).toBe(maxRetained);
    // One less, which it would not be if the last one had been kept, too.
    publisher.publish("models/0", "", { qos: 0 });
    await expect.poll(() => reader.size).toBe(maxRetained - 1);
  });
});
