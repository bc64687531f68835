import { Broker, realSurroundings } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { connect } from "mqtt";
import { ScriptedBroker } from "../../../../packages/mqtt/test/scripted-broker.ts";
import { data, type } from "../model-update.ts";
import { envelope } from "./site.ts";

const waiting = 200;
const ackDelayMs = 20;

/** An MQTT broker that lets nobody in until it is told to, and acknowledges late. */
async function lateBroker(): Promise<{
  readonly server: ScriptedBroker;
  letIn(): void;
  readonly entered: Promise<void>;
}> {
  let isOpen = false;
  let enter: () => void = () => undefined;
  const entered = new Promise<void>((resolve) => (enter = resolve));
  const server = await ScriptedBroker.start({
    connack: (_connect, peer) => (isOpen ? (enter(), {}) : (peer.socket.destroy(), null)),
    publish: (packet, peer) => void setTimeout(() => peer.acknowledge(packet), ackDelayMs),
  });
  return { server, letIn: () => (isOpen = true), entered };
}

/** From the connection to the arrival of the last event that waited for it. */
async function drainMs(server: ScriptedBroker, entered: Promise<void>): Promise<number> {
  await entered;
  const started = performance.now();
  await server.until(() => server.published.length >= waiting);
  const took = performance.now() - started;
  if (!server.published.every(({ topic, payload }, n) => topic === "bench" && payload.toString().includes(`"n":${n},`)))
    throw new Error("Expected the events in order, got another");
  await server.end();
  return took;
}

export async function starcastOutage(): Promise<number> {
  const { server, letIn, entered } = await lateBroker();
  const surroundings = { ...realSurroundings, random: { next: () => 0.999_999 } };
  const broker = new Broker({ observe: [], surroundings, drain: { spreadMs: 0, deadlineMs: 1_000 } });
  const connection = { protocol: "5" as const, backOff: { minMs: 3_600_000, maxMs: 3_600_000 } };
  const publisher = new MqttPublisher(broker, { url: server.url, topic: "bench", status: false, connection });
  await Promise.all(Array.from({ length: waiting }, (_, n) => broker.publish(type, { n, ...data })));
  await server.until(() => server.peers[0]?.socket.destroyed === true);
  // Refused once, it waits for an hour; this is the moment its MQTT broker is back.
  await untilWaiting(() => !publisher.isConnected);
  letIn();
  publisher.reconnect();
  const took = await drainMs(server, entered);
  await broker.close();
  return took;
}

export async function mqttjsOutage(): Promise<number> {
  const { server, letIn, entered } = await lateBroker();
  const client = connect(server.url, { protocolVersion: 5, reconnectPeriod: 100, log: () => undefined });
  client.on("error", () => undefined);
  await new Promise<void>((resolve) => client.once("close", resolve));
  for (let n = 0; n < waiting; n += 1)
    client.publish("bench", envelope(n).replace('"data":{', `"data":{"n":${n},`), { qos: 1 });
  letIn();
  const took = await drainMs(server, entered);
  await client.endAsync(true);
  return took;
}

async function untilWaiting(holds: () => boolean): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 50));
  while (!holds());
}
