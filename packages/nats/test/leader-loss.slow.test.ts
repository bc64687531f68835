import { Broker, type Event } from "@starcast/core";
import { afterEach, expect, it } from "vitest";
import { NatsCluster } from "./nats-cluster.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore } from "../src/index.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describeWith("nats-server", "three servers with a copy of the stream each", (program) => {
  it("lose the one that leads by kill -9: publishing goes on, and nothing acknowledged is lost", async () => {
    const cluster = await NatsCluster.start(program);
    cleanUps.push(() => cluster.close());
    const node = async (): Promise<Broker> => {
      const store = await JetStreamStore.open({
        servers: cluster.urls,
        stream: "replicated",
        replicas: 3,
        publishTimeoutMs: 30_000,
      });
      const broker = new Broker({ store, observe: [] });
      cleanUps.push(() => broker.close());
      return broker;
    };
    const brokers = [await node(), await node(), await node()];
    const seen = brokers.map((broker) => collect(broker));
    const publishers = brokers.map((broker, index) => new Publisher(broker, `node-${index}`));
    cleanUps.push(() => Promise.all(publishers.map((publisher) => publisher.stop())));

    await Promise.all(publishers.map((publisher) => publisher.acknowledgedMore(200)));
    const leader = await cluster.leaderOf("replicated");
    await leader.kill();
    await Promise.all(publishers.map((publisher) => publisher.acknowledgedMore(200)));
    await leader.start();
    await cluster.isWhole("replicated");
    for (const publisher of publishers) await publisher.stop();

    const acknowledged = new Map(publishers.flatMap(({ acknowledged: each }) => [...each]));
    const { log } = brokers[0]?.store ?? {};
    const { head = 0 } = (await log?.refresh()) ?? {};
    for (const each of seen) {
      await each.through(head);
      expect(each.gaps).toBe(0);
      expect(each.events).toHaveLength(head);
      const keys = new Map(each.events.map(({ id, data }) => [(data as { readonly key: string }).key, id]));
      // Each key once, where its publisher was told.
      expect(keys.size).toBe(head);
      for (const [key, id] of acknowledged) expect(keys.get(key)).toBe(id);
    }
    // What the leader took with it is known to be unknown, long before its time is over.
    for (const { refusals } of publishers)
      for (const code of refusals) expect(["store_failed", "connection_failed"]).toContain(code);
  });
});

/** Publishes without a pause, several at a time, each until it is acknowledged. */
class Publisher {
  /** The id that each key was acknowledged with. */
  readonly acknowledged = new Map<string, string>();
  readonly refusals = new Set<unknown>();
  #isStopped = false;
  #look: () => void = () => undefined;
  readonly #running: Promise<unknown>;

  constructor(broker: Broker, name: string) {
    this.#running = Promise.all(Array.from({ length: 8 }, (_, lane) => this.#run(broker, `${name}-${lane}`)));
  }

  acknowledgedMore(count: number): Promise<void> {
    const enough = this.acknowledged.size + count;
    return new Promise((resolve) => {
      this.#look = () => {
        if (this.acknowledged.size >= enough) resolve();
      };
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(broker: Broker, lane: string): Promise<void> {
    for (let number = 1; !this.#isStopped;) {
      const key = `${lane}-${number}`;
      try {
        const { id } = await broker.publish("test.happened", { key }, { dedupeKey: key });
        this.acknowledged.set(key, id);
        number += 1;
        this.#look();
      } catch (error) {
        this.refusals.add((error as { readonly code?: unknown }).code);
        // What was refused at once would be refused again.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function collect(broker: Broker): {
  readonly events: readonly Event[];
  gaps: number;
  through(offset: number): Promise<void>;
} {
  const events: Event[] = [];
  let look = (): void => undefined;
  const collected = {
    events,
    gaps: 0,
    through: (offset: number): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (events.length >= offset) resolve();
        };
        look();
      }),
  };
  broker.subscribe(
    (event) => {
      events.push(event);
      look();
    },
    { onGap: () => void (collected.gaps += 1) },
  );
  return collected;
}
