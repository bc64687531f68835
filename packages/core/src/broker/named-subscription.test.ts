import { afterEach, describe, expect, it } from "vitest";
import { fakeTime, turns, type FakeTime } from "../../test/fake-time.ts";
import { SlowCheckpoints } from "../../test/slow-checkpoints.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { Moment } from "../observe/observer.ts";
import { MemoryCheckpoints } from "../store/memory-checkpoints.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { Line } from "../subscriber/subscriber.ts";
import { Broker } from "./broker.ts";

const leaseMs = 15_000;
const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("a named subscription closed while it acquires its lease", () => {
  it.each(["acquire", "save"] as const)("gives it back when the answer comes: %s", async (held) => {
    const { broker, checkpoints } = house();
    checkpoints.held = held;
    const subscription = broker.subscribe(() => undefined, { name: "one" });
    await turns(2);
    const closing = subscription.close();
    checkpoints.held = null;
    checkpoints.answer();
    await closing;
    expect(await checkpoints.acquire("one", leaseMs)).not.toBeNull();
  });
});

describe("the same name subscribed again at once", () => {
  it("goes on as soon as the one before has finished its event, without waiting for the lease to end", async () => {
    const { broker } = house();
    const finish: (() => void)[] = [];
    const first = broker.subscribe(() => new Promise<void>((resolve) => void finish.push(resolve)), { name: "one" });
    await turns(3);
    await broker.publish("a.b", 1);
    await broker.publish("a.b", 2);
    await turns(3);
    const closing = first.close();
    const seen: unknown[] = [];
    broker.subscribe(({ data }) => void seen.push(data), { name: "one" });
    await turns(5);
    expect(seen).toEqual([]);
    finish[0]?.();
    await closing;
    await turns(5);
    expect(seen).toEqual([2]);
  });
});

describe("a lease", () => {
  it("is renewed while the subscription lives, and gone at its end with every timer", async () => {
    const { broker, checkpoints, time } = house();
    const subscription = broker.subscribe(() => undefined, { name: "one" });
    await turns(3);
    await time.advance(leaseMs * 4);
    expect(await checkpoints.acquire("one", leaseMs)).toBeNull();
    await subscription.close();
    expect([time.timers, checkpoints.leases.size]).toEqual([0, 0]);
  });

  it("lost to another holder ends the delivery until it is free again, from the other's place", async () => {
    const { broker, checkpoints, time, moments } = house();
    const seen: unknown[] = [];
    broker.subscribe(({ data }) => void seen.push(data), { name: "one" });
    await turns(3);
    await broker.publish("a.b", 1);
    await turns(3);
    const other = await checkpoints.takeOver("one", leaseMs);
    await time.advance(leaseMs / 3);
    expect(moments).toContain("leaseLost");
    await broker.publish("a.b", 2);
    await broker.publish("a.b", 3);
    await turns(3);
    expect(seen).toEqual([1]);
    await checkpoints.save(other, { epoch: broker.position.epoch, offset: 2 });
    await checkpoints.release(other);
    await time.advance(leaseMs / 3);
    expect(seen).toEqual([1, 3]);
  });

  it("that could not be renewed to its end is given up", async () => {
    const { broker, checkpoints, time, moments } = house();
    const seen: unknown[] = [];
    broker.subscribe(({ data }) => void seen.push(data), { name: "one" });
    await turns(3);
    checkpoints.failing = true;
    await time.advance(leaseMs);
    expect(moments).toContain("leaseLost");
    checkpoints.failing = false;
    await time.advance(leaseMs * 2);
    await broker.publish("a.b", 1);
    await turns(3);
    expect(seen).toEqual([1]);
  });

  it("is given up as well when the clock is set back meanwhile", async () => {
    const { broker, checkpoints, time, moments, offset } = house();
    broker.subscribe(() => undefined, { name: "one" });
    await turns(3);
    checkpoints.failing = true;
    offset.ms = -3 * 3_600_000;
    await time.advance((leaseMs * 4) / 3);
    expect(moments).toContain("leaseLost");
    checkpoints.failing = false;
  });

  it("whose first save fails is given back, so that the next try gets it", async () => {
    const { broker, checkpoints, time } = house();
    checkpoints.failingSaves = 1;
    const subscription = broker.subscribe(() => undefined, { name: "one" });
    await turns(3);
    await time.advance(leaseMs / 3);
    expect(subscription.position).not.toBeNull();
  });

  it("of a subscriber that never finishes is given back when the broker closes without it", async () => {
    const { broker, checkpoints, time } = house();
    broker.subscribe(({ data }) => (data === 2 ? new Promise(() => undefined) : undefined), { name: "one" });
    await turns(3);
    for (const data of [1, 2, 3]) await broker.publish("a.b", data);
    await turns(3);
    const closing = broker.close();
    await turns(3);
    await time.advance(60_000);
    await closing;
    expect([time.timers, checkpoints.leases.size]).toEqual([0, 0]);
    expect(await checkpoints.load("one")).toMatchObject({ offset: 1 });
  });

  it("is given back before the store closes, also of one that was closed and not awaited", async () => {
    const { broker, checkpoints } = house();
    const finish: (() => void)[] = [];
    const subscription = broker.subscribe(() => new Promise<void>((resolve) => void finish.push(resolve)), {
      name: "one",
    });
    await turns(3);
    await broker.publish("a.b", 1);
    await turns(3);
    void subscription.close();
    const closing = broker.close();
    await turns(3);
    finish[0]?.();
    await closing;
    expect([checkpoints.leases.size, await checkpoints.load("one")]).toMatchObject([0, { offset: 1 }]);
  });
});

describe("a checkpoint", () => {
  it("never passes an event that is not acknowledged, whatever the filter leaves out behind it", async () => {
    const { broker, checkpoints, time } = house();
    let line: Line | undefined;
    broker.attach(
      {
        open: (opened) => void (line = opened),
        deliver: ({ events }) => events.length,
        gap: () => undefined,
        close: () => undefined,
      },
      { name: "one", types: ["a.*"] },
    );
    await turns(3);
    await broker.publish("a.b", 1);
    for (let data = 0; data < 5; data += 1) await broker.publish("left.out", data);
    await turns(3);
    await time.advance(leaseMs);
    expect(await checkpoints.load("one")).toMatchObject({ offset: 0 });
    line?.acknowledge({ epoch: broker.position.epoch, offset: 1 });
    await turns(3);
    expect(await checkpoints.load("one")).toMatchObject({ offset: 6 });
  });

  it("is at the last event when it was acknowledged from inside deliver, behind the head as well as at it", async () => {
    const { broker, checkpoints } = house();
    for (let data = 0; data < 600; data += 1) await broker.publish("a.b", data);
    const batches: LogEvent[][] = [];
    let line: Line | undefined;
    broker.attach(
      {
        open: (opened) => void (line = opened),
        deliver: ({ events }) => {
          batches.push([...events]);
          const last = events.at(-1);
          if (last !== undefined) line?.acknowledge({ epoch: last.epoch, offset: last.offset });
          return events.length;
        },
        gap: () => undefined,
        close: () => undefined,
      },
      { name: "one", from: "earliest" },
    );
    await turns(5);
    expect(batches.length).toBeGreaterThan(1);
    expect(await checkpoints.load("one")).toMatchObject({ offset: 600 });
  });

  it("is saved one at a time, the newest place last, however slow the store is", async () => {
    const { broker, checkpoints } = house();
    broker.subscribe(() => undefined, { name: "one" });
    await turns(3);
    checkpoints.held = "save";
    for (let data = 0; data < 100; data += 1) {
      await broker.publish("a.b", data);
      await turns(1);
    }
    expect(checkpoints.waiting).toBe(1);
    checkpoints.held = null;
    checkpoints.answer();
    await turns(3);
    expect(await checkpoints.load("one")).toMatchObject({ offset: 100 });
    expect(checkpoints.saves).toBeLessThanOrEqual(4);
  });
});

function house(): {
  readonly broker: Broker;
  readonly checkpoints: SlowCheckpoints;
  readonly time: FakeTime;
  readonly moments: string[];
  /** Moves the time of day by itself. */
  readonly offset: { ms: number };
} {
  const time = fakeTime();
  const offset = { ms: 0 };
  const surroundings = { ...time, clock: { now: () => time.clock.now() + offset.ms } };
  const memory = new MemoryStore({ surroundings });
  const checkpoints = new SlowCheckpoints(new MemoryCheckpoints(surroundings));
  const { log, deliveries, records } = memory;
  const moments: string[] = [];
  const broker = new Broker({
    store: { log, deliveries, records, checkpoints, close: () => memory.close() },
    surroundings,
    leaseMs,
    observe: [(moment: Moment) => void moments.push(moment.kind)],
  });
  brokers.push(broker);
  return { broker, checkpoints, time, moments, offset };
}

describe("two brokers on one store", () => {
  it("tell a subscriber that its lease is the other's, and open it again from the other's place", async () => {
    const { broker, checkpoints, time } = house();
    const told: string[] = [];
    const lines: Line[] = [];
    const seen: number[] = [];
    broker.attach(
      {
        open: (line) => {
          told.push("open");
          lines.push(line);
        },
        deliver: ({ events, through }) => {
          seen.push(...events.map(({ offset }) => offset));
          // What it does after it was told that another goes on must move nothing.
          if (told.at(-1) === "open") lines.at(-1)?.acknowledge(through);
          return events.length;
        },
        suspend: () => void told.push("suspend"),
        gap: () => undefined,
        close: (reason) => void told.push(reason),
      },
      { name: "one" },
    );
    await turns(3);
    await broker.publish("a.b", 1);
    await turns(3);
    // The first stands still for longer than its lease; meanwhile the other takes it.
    checkpoints.failing = true;
    await time.advance(leaseMs);
    expect(told).toEqual(["open", "suspend"]);
    checkpoints.failing = false;
    const { store, surroundings } = broker;
    const other = new Broker({
      observe: [],
      store: { ...store, close: () => Promise.resolve() },
      surroundings,
      leaseMs,
    });
    const others: number[] = [];
    const takenOver = other.subscribe((event) => void others.push(Number(event.id.split("-")[1])), { name: "one" });
    await turns(5);
    await broker.publish("a.b", 2);
    await turns(5);
    lines[0]?.acknowledge({ epoch: broker.position.epoch, offset: 2 });
    expect([seen, others]).toEqual([[1], [2]]);
    await takenOver.close();
    await time.advance(leaseMs);
    await broker.publish("a.b", 3);
    await turns(5);
    expect([told, seen]).toEqual([
      ["open", "suspend", "open"],
      [1, 3],
    ]);
    await other.close();
  });

  it.each<[string, () => unknown]>([
    ["throws", () => explode()],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("go on when a receiver's suspend %s", async (_name, suspend) => {
    const { broker, checkpoints, time, moments } = house();
    broker.subscribe({ send: () => undefined, suspend }, { name: "one" });
    await turns(3);
    const other = await checkpoints.takeOver("one", leaseMs);
    await time.advance(leaseMs / 3);
    expect(moments).toContain("subscriberFailed");
    await checkpoints.release(other);
    await time.advance(leaseMs);
    expect([broker.subscriberCount, await checkpoints.acquire("one", leaseMs)]).toEqual([1, null]);
  });
});

function explode(): never {
  throw new Error("no");
}
