import { Broker, MemoryStore, type Batch, type Subscriber } from "@starcast/core";
import { fakeSurroundings, forEachSeed, RecordingSubscriber, type FakeSurroundings } from "@starcast/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const seeds = 100;

describe("promise 2: one tick", () => {
  it("brings every ready cursor to the head, wherever it was", () =>
    forEachSeed(seeds, async (random, seed) => {
      const { broker, surroundings } = house(seed, 1_000);
      await publish(broker, random.integer(0, 300));
      const recorders = Array.from({ length: random.integer(1, 8) }, () => {
        const recorder = new RecordingSubscriber();
        broker.attach(recorder, {
          from: { epoch: broker.position.epoch, offset: random.integer(0, broker.position.offset) },
        });
        return recorder;
      });
      await surroundings.runTurn();
      await publish(broker, random.integer(1, 200));
      await surroundings.runTurn();
      for (const recorder of recorders) {
        expect(recorder.offsets.at(-1)).toBe(broker.position.offset);
        expect(recorder.line?.position).toEqual(broker.position);
      }
      expect(broker.queueDepth).toBe(0);
    }));

  it("is not re-entrant: what is published from inside `deliver` waits for the next tick, in total order", () =>
    forEachSeed(seeds, async (random, seed) => {
      const { broker, surroundings } = house(seed, 1_000);
      const depth = { now: 0, max: 0 };
      const echoing = Array.from({ length: 3 }, () => {
        const recorder = new RecordingSubscriber();
        let left = random.integer(1, 10);
        const echo = nested(recorder, depth, () => {
          if (left-- > 0) void broker.publish("test.echoed", null);
        });
        broker.attach(echo);
        return recorder;
      });
      await publish(broker, random.integer(1, 5));
      for (let turn = 0; turn < 40; turn += 1) await surroundings.runTurn();
      expect(depth.max).toBe(1);
      const all = Array.from({ length: broker.position.offset }, (_, index) => index + 1);
      for (const { offsets } of echoing) expect(offsets).toEqual(all);
    }));
});

describe("promise 3: every gap is exact", () => {
  it("under random joins, stalls, rewinds and retention: no duplicate, no disorder, nothing missing outside a gap", () =>
    forEachSeed(seeds, async (random, seed) => {
      const { broker, surroundings } = house(seed, random.integer(4, 40));
      const recorders: RecordingSubscriber[] = [];
      for (let step = 0; step < 60; step += 1) {
        if (random.chance(0.2) && recorders.length < 6) {
          const recorder = new RecordingSubscriber({ room: random.integer(0, 20), acknowledges: true });
          broker.attach(recorder, { from: random.pick(["earliest", "latest"] as const) });
          recorders.push(recorder);
        }
        if (random.chance(0.5)) await publish(broker, random.integer(1, 12));
        if (random.chance(0.5) && recorders.length > 0) random.pick(recorders).makeRoom(random.integer(1, 15));
        // Everything was acknowledged: going back there repeats nothing.
        if (random.chance(0.1) && recorders.length > 0) random.pick(recorders).line?.rewind();
        if (random.chance(0.6)) await surroundings.runTurn();
      }
      for (const recorder of recorders) recorder.makeRoom(10_000);
      await surroundings.runUntilIdle();
      for (const recorder of recorders)
        expect(whole(recorder)).toEqual({ isWhole: true, through: broker.position.offset });
    }));

  it("also for filters that let little through", () =>
    forEachSeed(seeds, async (random, seed) => {
      const { broker, surroundings } = house(seed, random.integer(4, 30));
      const recorder = new RecordingSubscriber({ room: 2 });
      broker.attach(recorder, { types: ["rare.*"], from: "earliest" });
      const rare: number[] = [];
      for (let step = 0; step < 80; step += 1) {
        const type = random.chance(0.1) ? "rare.one" : "often.one";
        await broker.publish(type, null);
        if (type === "rare.one") rare.push(broker.position.offset);
        if (random.chance(0.3)) await surroundings.runTurn();
        if (random.chance(0.2)) recorder.makeRoom(1);
      }
      recorder.makeRoom(1_000);
      await surroundings.runUntilIdle();
      const isInGap = (offset: number): boolean =>
        recorder.gaps.some(({ after, through }) => (after?.offset ?? 0) < offset && offset <= through.offset);
      expect(recorder.offsets).toEqual(rare.filter((offset) => !isInGap(offset)));
      expect(recorder.line?.position).toEqual(broker.position);
    }));
});

describe("promise 4: a subscriber that misbehaves", () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  beforeEach(() => void process.on("unhandledRejection", note));
  afterEach(() => {
    process.off("unhandledRejection", note);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it.each(Object.keys(misbehaviours(() => undefined)))("harms nobody else: %s", (name) =>
    forEachSeed(20, async (random, seed) => {
      const { broker, surroundings } = house(seed, 200);
      const neighbours = [new RecordingSubscriber(), new RecordingSubscriber()];
      broker.attach(neighbours[0] ?? new RecordingSubscriber());
      const misbehave = misbehaviours(() => void broker.publish("test.reentered", null))[name];
      if (misbehave === undefined) throw new Error(`Expected a misbehaviour, got ${name}`);
      misbehave(broker);
      broker.attach(neighbours[1] ?? new RecordingSubscriber(), { from: "earliest" });
      for (let step = 0; step < 20; step += 1) {
        await publish(broker, random.integer(1, 5));
        await surroundings.runTurn();
        if (random.chance(0.2)) await surroundings.advance(random.integer(1, 2_000));
      }
      await surroundings.runUntilIdle();
      const all = Array.from({ length: broker.position.offset }, (_, index) => index + 1);
      for (const { offsets, gaps } of neighbours) {
        expect(offsets).toEqual(all);
        expect(gaps).toEqual([]);
      }
      const closing = broker.close();
      await surroundings.advance(60_000);
      await closing;
      expect(broker.subscriberCount).toBe(0);
      for (const { closedBy } of neighbours) expect(closedBy).toBe("broker_closed");
    }),
  );
});

/** Every way to be a bad subscriber, each on its own subscription. */
function misbehaviours(reenter: () => void): Readonly<Record<string, (broker: Broker) => void>> {
  const recording =
    (change: (inner: RecordingSubscriber, left?: number) => Partial<Subscriber>) => (broker: Broker) => {
      const inner = new RecordingSubscriber();
      const base: Subscriber = {
        open: (line) => inner.open(line),
        deliver: (batch) => inner.deliver(batch),
        gap: (gap) => inner.gap(gap),
        close: (reason) => inner.close(reason),
      };
      broker.attach({ ...base, ...change(inner) }, { from: "unreadable" });
    };
  const fail = (): never => {
    throw new Error("Planned");
  };
  return {
    "throws in open": recording(() => ({ open: fail })),
    "throws in deliver": recording(() => ({ deliver: fail })),
    "throws in gap": recording(() => ({ gap: fail })),
    "throws in close": recording(() => ({ close: fail })),
    "rejects in close": recording(() => ({ close: () => Promise.reject(new Error("Planned")) })),
    "never ends its close": recording(() => ({ close: () => new Promise<void>(() => undefined) })),
    "returns nonsense": recording(() => ({ deliver: () => Number.NaN })),
    "returns more than it was offered": recording(() => ({ deliver: (batch) => batch.events.length + 1 })),
    "returns a negative count": recording(() => ({ deliver: () => -1 })),
    "takes nothing, ready again, many times": recording((inner, left = 200) => ({
      deliver: (batch) => {
        // Each costs a turn of the event loop, and nothing else.
        if (left-- <= 0) return inner.deliver(batch);
        inner.line?.ready();
        return 0;
      },
    })),
    "publishes from inside": recording((inner) => ({
      deliver: (batch) => {
        if (batch.events.some(({ type }) => type !== "test.reentered")) reenter();
        return inner.deliver(batch);
      },
    })),
    "rewinds many times": recording((inner, left = 200) => ({
      deliver: (batch) => {
        if (left-- > 0) inner.line?.rewind();
        return batch.events.length;
      },
    })),
    "is a function that throws": (broker) => void broker.subscribe(fail),
    "is a function that rejects": (broker) => void broker.subscribe(() => Promise.reject(new Error("Planned"))),
    "is a function that never resolves": (broker) => void broker.subscribe(() => new Promise<void>(() => undefined)),
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    "is a thenable that throws": (broker) => void broker.subscribe(() => ({ then: fail })),
    "closes itself twice from inside": (broker) => {
      const subscription = broker.subscribe(() => {
        void subscription.close();
        void subscription.close();
      });
    },
    "subscribes others from inside": (broker) => {
      let left = 5;
      broker.subscribe(() => {
        if (left-- > 0) broker.subscribe(() => undefined);
      });
    },
  };
}

function house(seed: number, maxEvents: number): { readonly broker: Broker; readonly surroundings: FakeSurroundings } {
  const surroundings = fakeSurroundings(seed);
  return {
    surroundings,
    broker: new Broker({
      store: new MemoryStore({ retention: { maxEvents }, surroundings }),
      surroundings,
      observe: [],
    }),
  };
}

async function publish(broker: Broker, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await broker.publish("test.happened", { number });
}

/** True when what was recorded, events and gaps, is one unbroken walk; and where it ended. */
function whole({ recorded }: RecordingSubscriber): { readonly isWhole: boolean; readonly through: number } {
  let through = -1;
  let isWhole = true;
  for (const each of recorded) {
    if (each.kind === "opened") through = through < 0 ? each.start.position.offset : through;
    else if (each.kind === "gap") {
      isWhole &&= each.gap.after?.offset === through && each.gap.through.offset > through;
      through = each.gap.through.offset;
    } else if (each.kind === "event") {
      isWhole &&= each.offset === through + 1;
      through = each.offset;
    }
  }
  return { isWhole, through };
}

function nested(inner: RecordingSubscriber, depth: { now: number; max: number }, act: () => void): Subscriber {
  return {
    open: (line) => inner.open(line),
    gap: (gap) => inner.gap(gap),
    close: (reason) => inner.close(reason),
    deliver: (batch: Batch) => {
      depth.now += 1;
      depth.max = Math.max(depth.max, depth.now);
      act();
      const taken = inner.deliver(batch);
      depth.now -= 1;
      return taken;
    },
  };
}
