import { cpus } from "node:os";
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Broker, realSurroundings } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";
import { AckedPublisher } from "../../../../packages/nats/src/acked-publisher.ts";
import { NatsLink } from "../../../../packages/nats/src/nats-link.ts";
import { PublishAnswers } from "../../../../packages/nats/src/publish-answer.ts";
import { resolveJetStreamOptions } from "../../../../packages/nats/src/options.ts";
import { Fleet } from "../fleet.ts";
import { interleave, median, ratio, type Measures } from "../interleave.ts";
import { Gateways } from "../nats/gateways.ts";
import { data, type } from "../model-update.ts";
import { atOnce, startNats } from "../nats/site.ts";
import { measureMemory, type NetworkContender } from "../network-suite.ts";
import type { Row, Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

/** Messages on their way to JetStream at once, for everybody. */
const window = 256;

/** Publishing, replay and fan-out through JetStream, beside the client it is built on and beside the memory log. */
export const suite: Suite = async ({ isQuick, say }) => {
  const rounds = isQuick ? 3 : 9;
  const rows: Row[] = [];
  const ratios: Record<string, number> = {};
  const nats = await startNats();
  try {
    say("nats: publish");
    const { alone, live: followed } = await publishes(nats.url, rounds, isQuick ? 10_000 : 40_000);
    for (const [situation, { perSecond, cpu }] of [
      [`publish, ${window} on their way`, alone],
      [`publish beside a subscriber, ${window} on their way`, followed],
    ] as const) {
      rows.push(...rowsOf(situation, perSecond, "events/s"));
      rows.push(...rowsOf(situation, cpu, "µs CPU/event"));
    }
    ratios["nats.publish.vsJsPublish"] = ratio(alone.perSecond, "starcast", "js.publish");
    ratios["nats.publish.cpuVsJsPublish"] = ratio(alone.cpu, "js.publish", "starcast");
    ratios["nats.publishLive.vsJsPublish"] = ratio(followed.perSecond, "starcast, subscribed", "js.publish");
    ratios["nats.ackCounting.vsJsPublish"] = ratio(alone.perSecond, "acks counted, nothing else", "js.publish");
    ratios["nats.publish.eventsPerSecond"] = median(alone.perSecond.get("starcast") ?? []);
    ratios["nats.publishLive.eventsPerSecond"] = median(followed.perSecond.get("starcast, subscribed") ?? []);

    say("nats: replay");
    const replaying = await replays(nats.url, rounds, isQuick ? 50_000 : 200_000);
    rows.push(...rowsOf("replay", replaying, "events/s"));
    ratios["nats.replay.eventsPerSecond"] = median(replaying.get("starcast") ?? []);
    ratios["nats.replay.vsOrderedConsumer"] = ratio(replaying, "starcast", "ordered consumer");

    say("nats: live");
    const { cost, latency } = await live(nats.url, rounds, isQuick);
    rows.push(...rowsOf("fan-out to 1,000 clients", cost, "ns CPU/delivery"));
    rows.push(...rowsOf("latency at 200 events/s, p50", latency, "ms"));
    ratios["nats.live.vsMemory"] = ratio(cost, "memory log", "JetStream log");
    ratios["nats.live.addedP50Ms"] =
      median(latency.get("JetStream log") ?? []) - median(latency.get("memory log") ?? []);

    ratios["nats.live.cpuNsPerDelivery"] = median(cost.get("JetStream log") ?? []);

    say("nats: memory");
    const size = isQuick ? 500 : 2_000;
    const memory = await measureMemory(idle(nats.url), { sizes: [size], rounds: 1 }, { isQuick, say });
    for (const { resident } of memory.costs)
      for (const [transport, values] of resident) ratios[`nats.idleBytes.${transport}`] = median(values);

    const cores = cpus().length;
    for (const processes of [1, 2, 3]) {
      say(`nats: ${processes} gateway processes on ${cores} cores`);
      const { perSecond, cpuNs } = await scaled(nats.url, processes, isQuick ? 3 : 5);
      const situation = `600 clients, ${processes} gateway processes, ${cores} cores`;
      rows.push(...rowsOf(situation, new Map([["starcast", perSecond]]), "deliveries/s"));
      rows.push(...rowsOf(situation, new Map([["gateways", cpuNs]]), "ns CPU/delivery"));
      ratios[`nats.scale.${processes}.deliveriesPerSecond`] = median(perSecond);
      ratios[`nats.scale.${processes}.cpuNsPerDelivery`] = median(cpuNs);
    }
    return { rows, ratios, rounds };
  } finally {
    await nats.close();
  }
};

/** How many a second, and what one costs the process that publishes. */
async function publishes(
  servers: string,
  rounds: number,
  count: number,
): Promise<{ readonly alone: Costed; readonly live: Costed }> {
  const connection = await connect({ servers });
  await (await jetstreamManager(connection)).streams.add({ name: "bare", subjects: ["bare"], max_msgs: 1_000_000 });
  const client = jetstream(connection);
  // What everybody sends: the same data, encoded for each event, as whoever publishes has to.
  const encode = (): string => JSON.stringify({ type, data });
  const bare: Publisher = { calls: window, publish: () => client.publish("bare", encode()) };
  const open = async (stream: string): Promise<Broker> =>
    new Broker({ store: await JetStreamStore.open({ servers, stream, maxInFlight: window }), observe: [] });
  const link = await NatsLink.open(resolveJetStreamOptions({ servers }));
  const surroundings = realSurroundings;
  const acked = new AckedPublisher({ link, surroundings, maxInFlight: window, timeoutMs: 10_000, whileAway: "wait" });
  const answers = new PublishAnswers("bare");
  const publisher = await open("published");
  const alone = await costed(rounds, count, {
    // Twice as many calls as the window holds, so that it is never empty; never more than the window is on its way.
    starcast: { calls: 2 * window, publish: () => publisher.publish(type, data) },
    // What acknowledges, without the broker.
    "acks counted, nothing else": {
      calls: 2 * window,
      publish: () => acked.publish({ subject: "bare", payload: encode(), answers }),
    },
    "js.publish": bare,
  });
  acked.close();
  await link.close();
  await publisher.close();

  // By itself, since what a subscribed process keeps in memory would cost the others as well.
  const subscribed = await open("published-and-followed");
  let delivered = 0;
  subscribed.attach({
    deliver: ({ events }) => {
      delivered += events.length;
      return events.length;
    },
    gap: () => undefined,
    close: () => undefined,
  });
  const live = await costed(rounds, count, {
    // Every event comes back through the stream and is handed over; a call waits for that too, hence more of them.
    "starcast, subscribed": { calls: 8 * window, publish: () => subscribed.publish(type, data) },
    "js.publish": bare,
  });
  if (delivered === 0) throw new Error("Expected the subscriber to be given what was published, got nothing");
  await subscribed.close();
  await connection.close();
  return { alone, live };
}

interface Publisher {
  /** How many are called at once. */
  readonly calls: number;
  readonly publish: () => Promise<unknown>;
}

interface Costed {
  readonly perSecond: Measures;
  readonly cpu: Measures;
}

async function costed(rounds: number, count: number, publishers: Readonly<Record<string, Publisher>>): Promise<Costed> {
  const cpu = new Map<string, number[]>();
  const contenders = Object.entries(publishers).map(([name, { calls, publish }]) => {
    const costs: number[] = [];
    cpu.set(name, costs);
    const run = async (): Promise<number> => {
      const before = process.cpuUsage();
      const perSecond = await atOnce(calls, count, publish);
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / count);
      return perSecond;
    };
    return [name, run] as const;
  });
  const perSecond = await interleave(Object.fromEntries(contenders), rounds);
  // The first of each warmed up.
  return { perSecond, cpu: new Map([...cpu].map(([name, costs]) => [name, costs.slice(1)])) };
}

async function replays(servers: string, rounds: number, count: number): Promise<Measures> {
  const store = await JetStreamStore.open({ servers, stream: "replayed", maxInFlight: window });
  const broker = new Broker({ store, observe: [] });
  await atOnce(8 * window, count, () => broker.publish(type, data));
  const connection = await connect({ servers });
  const client = jetstream(connection);
  const measures = await interleave(
    {
      starcast: async () => {
        const startedAt = performance.now();
        for (let after = 0; after < count;) {
          const page = await store.log.read(after, { maxEvents: 256, maxBytes: Infinity });
          after = page.at(-1)?.offset ?? count;
        }
        return (count * 1_000) / (performance.now() - startedAt);
      },
      "ordered consumer": async () => {
        const startedAt = performance.now();
        const consumer = await client.consumers.get("replayed", { deliver_policy: DeliverPolicy.All });
        const messages = await consumer.consume({ max_messages: 1_000 });
        let read = 0;
        for await (const message of messages) {
          // As everybody who replays does.
          message.string();
          read += 1;
          if (read === count) break;
        }
        return (count * 1_000) / (performance.now() - startedAt);
      },
    },
    rounds,
  );
  await broker.close();
  await connection.close();
  return measures;
}

async function live(
  servers: string,
  rounds: number,
  isQuick: boolean,
): Promise<{ readonly cost: Measures; readonly latency: Measures }> {
  const cost = await beside(servers, 1_000, (fleet) => fleet.measure(150, 1), rounds);
  const seconds = isQuick ? 2 : 5;
  // Few clients, so that it is the way of an event that takes time, not a full processor.
  const latency = await beside(
    servers,
    100,
    async (fleet) => (await fleet.pace(pacePerSecond, seconds)).p50,
    isQuick ? 3 : 5,
  );
  return { cost, latency };
}

/** The same of a gateway with the memory log and of one with the JetStream log. */
async function beside(
  servers: string,
  clients: number,
  measure: (fleet: Fleet) => Promise<number>,
  rounds: number,
): Promise<Measures> {
  const inMemory = await Fleet.start(contender(), clients);
  const throughNats = await Fleet.start(contender(servers), clients);
  try {
    return await interleave(
      { "memory log": () => measure(inMemory), "JetStream log": () => measure(throughNats) },
      rounds,
    );
  } finally {
    await inMemory.stop();
    await throughNats.stop();
  }
}

async function scaled(
  servers: string,
  processes: number,
  rounds: number,
): Promise<{ readonly perSecond: readonly number[]; readonly cpuNs: readonly number[] }> {
  const gateways = await Gateways.start(contender(servers), processes, 600);
  const perSecond: number[] = [];
  const cpuNs: number[] = [];
  try {
    for (let round = -1; round < rounds; round += 1) {
      const measured = await gateways.measure(200, 10);
      if (round < 0) continue;
      perSecond.push(measured.perSecond);
      cpuNs.push(measured.cpuNs);
    }
    return { perSecond, cpuNs };
  } finally {
    await gateways.stop();
  }
}

function idle(servers: string): Readonly<Record<string, NetworkContender>> {
  const sse = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";
  return { websocket: contender(servers), sse: { script: "starcast-sse", request: sse } };
}

function contender(servers?: string): NetworkContender {
  return { script: "starcast-ws", args: servers === undefined ? [] : [servers], request };
}

const request =
  "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const pacePerSecond = 200;
