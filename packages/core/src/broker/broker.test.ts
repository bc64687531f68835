import { afterEach, describe, expect, it } from "vitest";
import { isStarcastError, type ErrorCode } from "../errors.ts";
import type { Event } from "../event/event.ts";
import { defineEvents, event } from "../event/vocabulary.ts";
import type { Moment } from "../observe/observer.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { Gap, Subscriber } from "../subscriber/subscriber.ts";
import { Broker } from "./broker.ts";

const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("publishing", () => {
  it("resolves with the committed event, whose JSON is the wire form", async () => {
    const { broker } = house();
    const published = await broker.publish("model.added", { name: "x" }, { subject: "openai/x" });
    expect(published).toMatchObject({
      type: "model.added",
      subject: "openai/x",
      data: { name: "x" },
      isDuplicate: false,
    });
    expect(published.id).toBe(`${broker.position.epoch}-1`);
    expect(JSON.parse(JSON.stringify(published))).toEqual({
      id: published.id,
      type: "model.added",
      timestamp: published.timestamp,
      subject: "openai/x",
      data: { name: "x" },
    });
  });

  it.each<[ErrorCode, () => unknown, string]>([
    ["invalid_event_type", () => ({}), "nodot"],
    ["invalid_event_type", () => ({}), "client.x"],
    ["invalid_data", () => ({ n: 1n }), "a.b"],
    ["event_too_large", () => "x".repeat(262_144), "a.b"],
  ])("rejects with %s, takes no id and tells the observer", async (code, data, type) => {
    const { broker, moments } = house();
    const error: unknown = await broker.publish(type, data()).catch((rejected: unknown) => rejected);
    expect(isStarcastError(error, code)).toBe(true);
    expect(broker.position.offset).toBe(0);
    expect(broker.stats()).toMatchObject({ eventsPublished: 0, eventsDropped: 1, dropped: { [code]: 1 } });
    expect(moments.filter(({ kind }) => kind === "publishRefused")).toHaveLength(1);
  });

  it("that fails and is not looked at does not end the process", async () => {
    const { broker } = house();
    void broker.publish("nodot", 1);
    void broker.publishAll([{ type: "nodot", data: 1 }]);
    await turns(3);
    expect(broker.eventsDropped).toBe(2);
  });

  it("again with the same dedupe key returns the first event", async () => {
    const { broker } = house();
    const first = await broker.publish("a.b", { try: 1 }, { dedupeKey: "k" });
    const again = await broker.publish("a.b", { try: 2 }, { dedupeKey: "k" });
    expect([again.id, again.data, again.isDuplicate]).toEqual([first.id, { try: 1 }, true]);
    expect(broker.eventsPublished).toBe(1);
  });

  it("again with the key of an event that has left the log returns its place, and passes nothing off as its data", async () => {
    const { broker } = house({ store: new MemoryStore({ retention: { maxEvents: 2 } }) });
    const first = await broker.publish("a.b", { try: 1 }, { dedupeKey: "k" });
    for (let data = 0; data < 3; data += 1) await broker.publish("a.b", data);
    const again = await broker.publish("a.b", { try: 2 }, { dedupeKey: "k" });
    expect([again.id, again.timestamp, again.isDuplicate, again.isTrimmed]).toEqual([
      first.id,
      first.timestamp,
      true,
      true,
    ]);
    expect(() => again.data).toThrow(expect.objectContaining({ code: "events_missed" }));
    expect([first.isTrimmed, broker.eventsPublished, broker.eventsDropped]).toEqual([false, 4, 0]);
  });

  it("of a list is all or none", async () => {
    const { broker } = house();
    await expect(
      broker.publishAll([
        { type: "a.b", data: 1 },
        { type: "nodot", data: 2 },
      ]),
    ).rejects.toMatchObject({ code: "invalid_event_type" });
    expect(broker.position.offset).toBe(0);
    const events = await broker.publishAll([
      { type: "a.b", data: 1 },
      { type: "a.b", data: 2 },
    ]);
    expect(events.map(({ data }) => data)).toEqual([1, 2]);
  });

  it("data of a type outside the vocabulary is refused, and the validator's output is what is published", async () => {
    const events = defineEvents({ "a.b": event<{ id: string }>({ subject: ({ id }) => id }) });
    const { broker } = house({ events });
    await expect(broker.publish("a.c", {})).rejects.toMatchObject({ code: "invalid_event_type" });
    expect((await broker.publish("a.b", { id: "s" })).subject).toBe("s");
  });

  it("cannot be changed afterwards, by publisher or subscriber", async () => {
    const { broker } = house();
    const seen: Event[] = [];
    broker.subscribe((received) => void seen.push(received));
    const data = { list: [1] };
    const publishing = broker.publish("a.b", data);
    data.list.push(2);
    await publishing;
    await turns(2);
    expect(seen[0]?.data).toEqual({ list: [1] });
    expect(Object.isFrozen((seen[0]?.data as { list: number[] }).list)).toBe(true);
  });

  it("from inside deliver beyond the free half of the log is refused, and nobody loses anything", async () => {
    const { broker } = house({ store: new MemoryStore({ retention: { maxEvents: 100 } }) });
    const outcomes: Promise<unknown>[] = [];
    const offsets: number[] = [];
    const gaps: Gap[] = [];
    let isFlooded = false;
    broker.attach(
      recorder({
        deliver: (batch) => {
          offsets.push(...batch.events.map(({ offset }) => offset));
          if (!isFlooded) {
            isFlooded = true;
            for (let index = 0; index < 80; index += 1)
              outcomes.push(
                broker.publish("a.b", index).then(
                  () => "kept",
                  (error: { code: string }) => error.code,
                ),
              );
          }
          return batch.events.length;
        },
        gap: (gap) => void gaps.push(gap),
      }),
      { from: "latest" },
    );
    await turns(2);
    await broker.publish("a.b", 0);
    await turns(4);
    const results = await Promise.all(outcomes);
    expect(results.filter((result) => result === "kept")).toHaveLength(50);
    expect(results.filter((result) => result === "overloaded")).toHaveLength(30);
    expect(gaps).toEqual([]);
    expect(offsets).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
  });
});

describe("a plain subscription", () => {
  it("gets what was published before it, since the broker was constructed; the second starts at the head", async () => {
    const { broker } = house();
    await broker.publish("a.b", 1);
    const first: unknown[] = [];
    const second: unknown[] = [];
    broker.subscribe((received) => void first.push(received.data));
    broker.subscribe((received) => void second.push(received.data));
    await broker.publish("a.b", 2);
    await turns(3);
    expect([first, second]).toEqual([[1, 2], [2]]);
  });

  it("that is asynchronous gets each event after the one before is done", async () => {
    const { broker } = house();
    const log: string[] = [];
    broker.subscribe(async (received) => {
      log.push(`begin ${String(received.data)}`);
      await turns(2);
      log.push(`end ${String(received.data)}`);
    });
    await Promise.all([1, 2].map((data) => broker.publish("a.b", data)));
    await until(() => log.length === 4);
    expect(log).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  it("that throws, rejects or never resolves harms no other", async () => {
    const { broker, moments } = house();
    const seen: unknown[] = [];
    broker.subscribe(() => {
      throw new Error("thrown");
    });
    broker.subscribe(() => Promise.reject(new Error("rejected")), { from: "earliest" });
    broker.subscribe(() => new Promise(() => undefined), { from: "earliest", name: undefined });
    broker.subscribe((received) => void seen.push(received.data), { from: "earliest" });
    await broker.publish("a.b", 1);
    await broker.publish("a.b", 2);
    await until(() => seen.length === 2);
    await turns(3);
    expect(moments.filter(({ kind }) => kind === "subscriberFailed")).toHaveLength(4);
    expect(broker.subscriberCount).toBe(4);
    await Promise.all(brokers.splice(0).map(() => closeSoon(broker)));
  });

  it("that breaks the port's contract is closed, the others are not", async () => {
    const { broker } = house();
    const reasons: string[] = [];
    for (const deliver of [
      () => 7,
      () => -1,
      () => NaN,
      () => "1" as never,
      () => {
        throw new Error("x");
      },
    ]) {
      broker.attach(recorder({ deliver, close: (reason) => void reasons.push(reason) }), { from: "earliest" });
    }
    const seen: unknown[] = [];
    broker.subscribe((received) => void seen.push(received.data));
    await broker.publish("a.b", 1);
    await turns(3);
    expect(reasons).toEqual(Array.from({ length: 5 }, () => "subscriber_failed"));
    expect(seen).toEqual([1]);
    expect(broker.subscriberCount).toBe(1);
  });

  it("ends by unsubscribe, as often as one likes, even from inside its own event", async () => {
    const { broker } = house();
    let closed = 0;
    const receiver = {
      received: 0,
      send(): void {
        receiver.received += 1;
        void broker.unsubscribe(receiver);
        void broker.unsubscribe(receiver);
      },
      close: () => void (closed += 1),
    };
    broker.subscribe(receiver);
    await Promise.all([broker.publish("a.b", 1), broker.publish("a.b", 2)]);
    await turns(3);
    await broker.unsubscribe(receiver);
    expect([receiver.received, closed, broker.subscriberCount]).toEqual([1, 1, 0]);
  });

  it("is refused beyond maxSubscribers, and again possible after another has gone", async () => {
    const { broker } = house({ maxSubscribers: 1 });
    const first = broker.subscribe(() => undefined);
    expect(() => broker.subscribe(() => undefined)).toThrow(expect.objectContaining({ code: "overloaded" }));
    await first.close();
    expect(() => broker.subscribe(() => undefined)).not.toThrow();
  });

  it("with a bad filter, a bad subscriber or a taken name is refused at once", () => {
    const { broker } = house();
    broker.subscribe(() => undefined, { name: "one" });
    expect(() => broker.subscribe(() => undefined, { types: ["*"] })).toThrow(
      expect.objectContaining({ code: "invalid_filter" }),
    );
    expect(() => broker.subscribe({} as never)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    expect(() => broker.subscribe(() => undefined, { name: "one" })).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    expect(broker.subscriberCount).toBe(1);
  });

  it("is told of the events it will never get", async () => {
    const { broker } = house({ store: new MemoryStore({ retention: { maxEvents: 10 } }) });
    await Promise.all(Array.from({ length: 25 }, (_, index) => broker.publish("a.b", index)));
    const gaps: Gap[] = [];
    const seen: unknown[] = [];
    broker.subscribe((received) => void seen.push(received.data), { onGap: (gap) => void gaps.push(gap) });
    await turns(3);
    expect(gaps).toMatchObject([{ after: { offset: 0 }, through: { offset: 15 }, reason: "trimmed" }]);
    expect(seen).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    expect(broker.stats()).toMatchObject({ eventsDropped: 15, dropped: { trimmed: 15 } });
  });
});

describe("a named subscription", () => {
  it("goes on after the last acknowledged event when it comes back, with the same store", async () => {
    const { broker } = house();
    const seen: unknown[] = [];
    const first = broker.subscribe((received) => void seen.push(received.data), { name: "indexer" });
    await until(() => first.position !== null);
    await broker.publish("a.b", 1);
    await until(() => seen.length === 1);
    await first.close();
    await broker.publish("a.b", 2);
    broker.subscribe((received) => void seen.push(received.data), { name: "indexer" });
    await until(() => seen.length === 2);
    expect(seen).toEqual([1, 2]);
  });

  it("is offered an event again that failed, until it does not", async () => {
    const { broker } = house();
    const tries: unknown[] = [];
    const subscription = broker.subscribe(
      (received) => {
        tries.push(received.data);
        if (tries.length === 1) throw new Error("not yet");
      },
      { name: "indexer" },
    );
    await until(() => subscription.position !== null);
    await Promise.all([broker.publish("a.b", 1), broker.publish("a.b", 2)]);
    await until(() => tries.length === 3);
    expect(tries).toEqual([1, 1, 2]);
  });
});

describe("follow", () => {
  it("gives events in order and ends with its signal", async () => {
    const { broker } = house();
    const stop = new AbortController();
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const received of broker.follow({ types: ["a.*"], signal: stop.signal })) {
        seen.push(received.data);
        if (seen.length === 3) stop.abort();
      }
    })();
    for (const data of [1, 2, 3]) await broker.publish("a.b", data);
    await loop;
    expect(seen).toEqual([1, 2, 3]);
    expect(broker.subscriberCount).toBe(0);
  });

  it("throws at the place where events are missing, unless there is an onGap", async () => {
    const { broker } = house({ store: new MemoryStore({ retention: { maxEvents: 10 } }) });
    await Promise.all(Array.from({ length: 25 }, (_, index) => broker.publish("a.b", index)));
    const from = { epoch: broker.position.epoch, offset: 3 };
    await expect(broker.follow({ from }).next()).rejects.toMatchObject({
      code: "events_missed",
      gap: { after: { offset: 3 }, through: { offset: 15 } },
    });
    const gaps: Gap[] = [];
    const first = await broker.follow({ from, onGap: (gap) => void gaps.push(gap) }).next();
    expect([first.value?.data, gaps.length]).toEqual([15, 1]);
  });

  it("ends when the broker does, after what was handed over", async () => {
    const { broker } = house();
    const events = broker.follow();
    await broker.publish("a.b", 1);
    await turns(2);
    await broker.close();
    expect([(await events.next()).value?.data, (await events.next()).done]).toEqual([1, true]);
  });
});

describe("closing", () => {
  it("delivers what was published, closes each subscriber once, and refuses what comes later", async () => {
    const { broker } = house();
    const seen: unknown[] = [];
    let closed = 0;
    broker.subscribe({
      send: async (received) => {
        await turns(1);
        seen.push(received.data);
      },
      close: () => void (closed += 1),
    });
    await Promise.all([1, 2, 3].map((data) => broker.publish("a.b", data)));
    await Promise.all([broker.close(), broker.close()]);
    expect([seen, closed]).toEqual([[1, 2, 3], 1]);
    await expect(broker.publish("a.b", 4)).rejects.toMatchObject({ code: "broker_closed" });
    expect(() => broker.subscribe(() => undefined)).toThrow(expect.objectContaining({ code: "broker_closed" }));
  });

  it("ends its parts in order and says what was left undone", async () => {
    const { broker, moments } = house();
    const order: string[] = [];
    const part = (name: string, stage: "clients" | "publishers" | "rest") => ({
      name,
      stage,
      size: 0,
      stop: () => void order.push(`stop ${name}`),
      drain: () => {
        order.push(`drain ${name}`);
        return name === "mqtt" ? Promise.reject(new Error("no ack")) : Promise.resolve([]);
      },
    });
    broker.register(part("mqtt", "publishers"));
    broker.register(part("sync", "rest"));
    broker.register(part("sse", "clients"));
    expect(() => broker.register(part("sse", "clients"))).toThrow(expect.objectContaining({ code: "name_taken" }));
    await broker.close();
    expect(order).toEqual(["stop mqtt", "stop sync", "stop sse", "drain sync", "drain sse", "drain mqtt"]);
    expect(moments.at(-1)).toMatchObject({ kind: "drainCompleted", undone: ["mqtt: no ack"] });
  });

  it("ends at the deadline when a subscriber never finishes, and names it", async () => {
    const { broker, moments } = house({ drain: { deadlineMs: 50, spreadMs: 0 } });
    broker.subscribe(() => new Promise(() => undefined));
    await Promise.all([broker.publish("a.b", 1), broker.publish("a.b", 2)]);
    await turns(2);
    await broker.close();
    expect(moments.at(-1)).toMatchObject({
      kind: "drainCompleted",
      undone: ["subscriber #1", "subscribers whose close did not end"],
    });
  });

  it("is what run does when its signal comes", async () => {
    const { broker } = house();
    const stop = new AbortController();
    const running = broker.run({ signal: stop.signal });
    stop.abort();
    await running;
    await expect(broker.publish("a.b", 1)).rejects.toMatchObject({ code: "broker_closed" });
  });
});

describe("an observer that throws", () => {
  it("is reported to the others and disturbs nothing", async () => {
    const moments: Moment[] = [];
    const broker = new Broker({
      observe: [
        () => {
          throw new Error("bad observer");
        },
        (moment) => void moments.push(moment),
      ],
    });
    brokers.push(broker);
    await broker.publish("a.b", 1);
    expect(moments.map(({ kind }) => kind)).toContain("observerFailed");
  });
});

describe("options", () => {
  it.each([
    [{ maxEventBytes: NaN }, "maxEventBytes"],
    [{ maxEventBytes: -1 }, "maxEventBytes"],
    [{ maxEventBytes: "1" as never }, "maxEventBytes"],
    [{ maxEventByte: 1 } as never, "maxEventBytes"],
    [{ flushMs: 1e9 }, "flushMs"],
    [{ drain: { spreadMs: 5, deadlineMs: 1 } }, "drain.deadlineMs"],
    [{ maxEventBytes: 33_554_432 }, "at most half"],
    [{ uncommitted: { maxDrafts: 0 } }, "uncommitted.maxDrafts"],
  ])("%j are refused, and the message names what to change", (options, named) => {
    expect(() => new Broker({ observe: [], ...options })).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(named) as string }),
    );
  });
});

function house(options: ConstructorParameters<typeof Broker>[0] = {}): {
  readonly broker: Broker;
  readonly moments: Moment[];
} {
  const moments: Moment[] = [];
  const broker = new Broker({ ...options, observe: [(moment) => void moments.push(moment)] });
  brokers.push(broker);
  return { broker, moments };
}

function recorder(calls: Partial<Subscriber>): Subscriber {
  return { deliver: (batch) => batch.events.length, gap: () => undefined, close: () => undefined, ...calls };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turns(1);
}

/** A subscriber that never resolves would hold the close to its deadline. */
async function closeSoon(broker: Broker): Promise<void> {
  void broker.close();
  await turns(1);
}
