import { describe, expect, it } from "vitest";
import { Broker } from "../broker/broker.ts";
import type { StoredEvent } from "../event/event.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { MemoryStore } from "../store/memory-store.ts";

class CostlyLog extends MemoryLog {
  readonly isWatchCostly = true;
  watched = 0;

  override watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    this.watched += 1;
    return super.watch(onCommitted);
  }
}

function open(): { readonly log: CostlyLog; readonly broker: Broker } {
  const log = new CostlyLog({
    retention: { maxEvents: 1_000, maxBytes: Infinity },
    dedupeWindowMs: 1_000,
    maxDedupeKeys: 100,
    clock: { now: () => 0 },
    random: { next: () => 0.5 },
  });
  const { checkpoints, deliveries, records } = new MemoryStore();
  const store = { log, checkpoints, deliveries, records, close: () => log.close() };
  return { log, broker: new Broker({ store, observe: [], drain: { spreadMs: 0 } }) };
}

const numbered = (offset: number): string => JSON.stringify(offset);

async function publish(broker: Broker, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const { id } = await broker.publish("test.happened", broker.position.offset + 1);
    expect(id.endsWith(`-${broker.position.offset}`)).toBe(true);
  }
}

/** Resolves with what a subscriber was told when it is so much. */
function collect(broker: Broker, count: number, from?: { epoch: string; offset: number }): Promise<readonly string[]> {
  const told: string[] = [];
  return new Promise((resolve) => {
    broker.subscribe(
      ({ data }) => {
        told.push(JSON.stringify(data));
        if (told.length === count) resolve(told);
      },
      { from, onGap: () => void told.push("gap") },
    );
  });
}

describe("a log that is costly to watch", () => {
  it("is watched by nobody as long as the broker only publishes", async () => {
    const { log, broker } = open();
    await publish(broker, 300);
    expect([log.watched, broker.queueDepth, broker.position.offset]).toEqual([0, 0, 300]);
    await broker.close();
    expect(log.watched).toBe(0);
  });

  it("is watched once from the first subscriber on, who misses nothing", async () => {
    const { log, broker } = open();
    await publish(broker, 300);
    // A plain one begins where the broker was made.
    const first = collect(broker, 310);
    const resumed = collect(broker, 20, { epoch: log.epoch, offset: 290 });
    await publish(broker, 10);
    const wanted = Array.from({ length: 310 }, (_, index) => numbered(index + 1));
    expect(await first).toEqual(wanted);
    expect(await resumed).toEqual(wanted.slice(290));
    expect(log.watched).toBe(1);
    await broker.close();
  });

  it("brings who begins at the head to it without an event", async () => {
    const { log, broker } = open();
    await publish(broker, 5);
    const subscription = broker.subscribe(() => undefined, { from: "latest" });
    expect(subscription.position).toEqual({ epoch: log.epoch, offset: 5 });
    const past = collect(broker, 3, { epoch: log.epoch, offset: 2 });
    expect(await past).toEqual(["3", "4", "5"]);
    // Nobody is left behind, so closing has nothing to wait for.
    await broker.close();
  });
});
