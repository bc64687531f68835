import { afterEach, describe, expect, it } from "vitest";
import { AsyncLog } from "../../test/async-log.ts";
import { turns, until } from "../../test/fake-time.ts";
import { Broker } from "../broker/broker.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { maxHandOver } from "./follow.ts";

const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("the signal of follow", () => {
  it("is let go of at every other end: a long-lived one collects no listeners", async () => {
    const { broker } = house();
    const signal = countingSignal();
    await broker.publish("a.b", 1);
    for (let round = 0; round < 3; round += 1) {
      for await (const event of broker.follow({ signal: signal.signal, from: "earliest" })) {
        expect(event.data).toBe(1);
        break;
      }
    }
    const abandoned = broker.follow({ signal: signal.signal, from: "latest" });
    expect(signal.listeners()).toBe(1);
    await broker.close();
    expect(signal.listeners()).toBe(0);
    expect((await abandoned.next()).done).toBe(true);
  });

  it("is not listened to when the subscription is refused", () => {
    const { broker } = house({ maxSubscribers: 1 });
    broker.subscribe(() => undefined);
    const signal = countingSignal();
    expect(() => broker.follow({ signal: signal.signal })).toThrow(expect.objectContaining({ code: "overloaded" }));
    expect(signal.listeners()).toBe(0);
  });

  it("ends at once, also what was handed over ahead", async () => {
    const { broker } = house();
    const stop = new AbortController();
    const events = broker.follow({ signal: stop.signal });
    await Promise.all([1, 2, 3].map((data) => broker.publish("a.b", data)));
    expect((await events.next()).value?.data).toBe(1);
    stop.abort();
    expect((await events.next()).done).toBe(true);
    expect(broker.subscriberCount).toBe(0);
  });

  it("aborted before ends it before it began", async () => {
    const { broker } = house();
    expect((await broker.follow({ signal: AbortSignal.abort() }).next()).done).toBe(true);
    expect(broker.subscriberCount).toBe(0);
  });
});

describe("a loop that is slow", () => {
  it("is handed at most maxHandOver events ahead, and gets all of them in order", async () => {
    const { broker } = house();
    const events = broker.follow();
    for (let data = 0; data < maxHandOver + 50; data += 1) await broker.publish("a.b", data);
    await turns(3);
    const position = broker.position.offset;
    const seen: unknown[] = [];
    for await (const event of events) {
      seen.push(event.data);
      if (seen.length === position) break;
    }
    expect(seen).toEqual(Array.from({ length: maxHandOver + 50 }, (_, index) => index));
  });

  it("is told of a gap at its place: after the events before it, before those behind it", async () => {
    const { broker, log } = durable();
    for (let data = 1; data <= 60; data += 1) await broker.publish("a.b", data);
    for (let offset = 11; offset <= 20; offset += 1) log.holes.add(offset);
    const seen: unknown[] = [];
    const events = broker.follow({ from: "earliest", onGap: ({ through }) => void seen.push(`to ${through.offset}`) });
    // All of it is read before the loop begins.
    await turns(30);
    for await (const event of events) {
      seen.push(event.data);
      if (event.data === 22) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "to 20", 21, 22]);
  });

  it("under a name keeps what it has not worked on, gap or not", async () => {
    const { broker, log, store } = durable();
    for (let data = 1; data <= 60; data += 1) await broker.publish("a.b", data);
    for (let offset = 11; offset <= 20; offset += 1) log.holes.add(offset);
    const first = broker.follow({ name: "loop", from: "earliest", onGap: () => undefined });
    expect((await first.next()).value?.data).toBe(1);
    expect((await first.next()).value?.data).toBe(2);
    await turns(30);
    await first.return?.();
    await until(() => broker.subscriberCount === 0);
    await turns(5);
    expect(await store.checkpoints.load("loop")).toMatchObject({ offset: 1 });
  });
});

describe("an onGap that throws", () => {
  it("throws into the loop and ends the subscription", async () => {
    const { broker, log } = durable();
    for (let data = 1; data <= 60; data += 1) await broker.publish("a.b", data);
    log.holes.add(1);
    const events = broker.follow({
      from: "earliest",
      onGap: () => {
        throw new Error("cannot");
      },
    });
    await expect(events.next()).rejects.toThrow("cannot");
    expect((await events.next()).done).toBe(true);
    expect(broker.subscriberCount).toBe(0);
  });
});

describe("a follow that is never iterated", () => {
  it("holds one hand-over, and ends with the broker", async () => {
    const { broker } = house({ drain: { spreadMs: 0, deadlineMs: 0 } });
    const events = broker.follow();
    for (let data = 0; data < 1_000; data += 1) await broker.publish("a.b", data);
    await broker.close();
    let left = 0;
    while ((await events.next()).done !== true) left += 1;
    expect(left).toBeLessThanOrEqual(maxHandOver);
  });
});

function house(options: ConstructorParameters<typeof Broker>[0] = {}): { readonly broker: Broker } {
  const broker = new Broker({ observe: [], ...options });
  brokers.push(broker);
  return { broker };
}

function durable() {
  const log = new AsyncLog({ maxEvents: 10_000 });
  const memory = new MemoryStore();
  const store = {
    log,
    checkpoints: memory.checkpoints,
    deliveries: memory.deliveries,
    records: memory.records,
    close: () => log.close(),
  };
  return { ...house({ store, hotWindow: { maxEvents: 20 } }), log, store };
}

/** A real signal that counts who listens. */
function countingSignal() {
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: EventListener, options?: AddEventListenerOptions) => {
    listening.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    listening.delete(listener);
    remove(type, listener);
  };
  return { signal, listeners: () => listening.size };
}
