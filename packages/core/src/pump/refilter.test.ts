import { describe, expect, it } from "vitest";
import { turns } from "../../test/fake-time.ts";
import { Broker } from "../broker/broker.ts";
import type { Subscription } from "../broker/subscription.ts";
import type { Batch } from "../encoding/batch.ts";

describe("a filter changed from inside deliver", () => {
  it("of another subscriber that is behind repeats nothing for it", async () => {
    const broker = await published(10);
    const seen: number[] = [];
    let other: Subscription | null = null;
    // The group of `b.*` comes after that of everything, and has not been moved when the other joins it.
    broker.attach(
      taking(() => other?.setFilter({ types: ["b.*"] })),
      { from: "latest" },
    );
    other = broker.attach(
      taking(({ events }) => seen.push(...events.map(({ offset }) => offset))),
      { from: "latest" },
    );
    broker.attach(
      taking(() => undefined),
      { from: "latest", types: ["b.*"] },
    );
    await turns(2);
    const behind: number[] = [];
    const joiner = broker.attach(
      taking(({ events }) => {
        behind.push(...events.map(({ offset }) => offset));
        joiner.setFilter({ types: ["b.*"] });
      }),
      { from: "earliest" },
    );
    for (let round = 0; round < 3; round += 1) {
      await broker.publish("b.c", round);
      await turns(3);
    }
    expect(behind).toEqual([...new Set(behind)]);
    expect(behind).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
    expect(seen).toEqual([...new Set(seen)]);
    await broker.close();
  });

  it("goes to the place that was asked for", async () => {
    const broker = await published(10);
    const seen: number[] = [];
    let isMoved = false;
    const subscription = broker.attach(
      taking(({ events }) => {
        seen.push(...events.map(({ offset }) => offset));
        if (isMoved) return;
        isMoved = true;
        const { epoch } = broker.position;
        expect(subscription.setFilter({ types: ["**"] }, { epoch, offset: 7 })).toEqual({ epoch, offset: 7 });
      }),
      { from: "earliest" },
    );
    await turns(4);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 8, 9, 10]);
    await broker.close();
  });
});

describe("a filter changed at a place past the head, or of another epoch", () => {
  it("leaves the subscriber where it is, and says so", async () => {
    const broker = await published(10);
    const seen: number[] = [];
    const subscription = broker.attach(
      taking(({ events }) => void seen.push(...events.map(({ offset }) => offset))),
      { from: "latest" },
    );
    await turns(2);
    const { epoch } = broker.position;
    expect(subscription.setFilter({ types: ["a.*"] }, { epoch, offset: 1_000 })).toEqual({ epoch, offset: 10 });
    expect(subscription.setFilter({ types: ["b.*"] }, { epoch: "other", offset: 3 })).toEqual({ epoch, offset: 10 });
    await broker.publish("b.c", 1);
    await turns(2);
    expect(seen).toEqual([11]);
    await broker.close();
  });
});

async function published(count: number): Promise<Broker> {
  const broker = new Broker({ observe: [] });
  for (let data = 0; data < count; data += 1) await broker.publish("a.b", data);
  return broker;
}

function taking(onBatch: (batch: Batch) => unknown) {
  return {
    deliver: (batch: Batch) => {
      onBatch(batch);
      return batch.events.length;
    },
    gap: () => undefined,
    close: () => undefined,
  };
}
