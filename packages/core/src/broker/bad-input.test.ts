import { afterEach, describe, expect, it } from "vitest";
import { turns, until } from "../../test/fake-time.ts";
import { InvalidOptionError } from "../errors.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { Gap, Line, Subscriber } from "../subscriber/subscriber.ts";
import type { BrokerOptions } from "../options.ts";
import { Broker } from "./broker.ts";

// A rejection that nobody looks at fails the whole run, so each of these also says: no unhandled rejection.
const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("an option of the broker", () => {
  const bad = [NaN, -1, 0.5, Infinity, 1e300, "7", 7n, [], null, {}] as const;
  it.each(
    (["maxEventBytes", "maxSubscribers", "flushMs", "leaseMs", "pageCacheBytes"] as const).flatMap((name) =>
      bad.map((value) => ({ name, value })),
    ),
  )("$name: $value is refused by name, unless it is a decision", ({ name, value }) => {
    // Without a bound is a decision that these let one take.
    const isTaken = value === Infinity && acceptsInfinity(name);
    const build = (): void => void house({ [name]: value });
    if (isTaken) return expect(build).not.toThrow();
    expect(build).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(name) as string }),
    );
  });

  it.each<[string, object | null]>([
    ["hotWindow", { hotWindow: { maxEvents: NaN } }],
    ["uncommitted", { uncommitted: { maxDrafts: -1 } }],
    ["drain", { drain: { spreadMs: "soon" } }],
    ["observe", { observe: "console" }],
    ["store", { store: {} }],
    ["events", { events: 7 }],
    ["surroundings", { surroundings: {} }],
    ["hotWindw", { hotWindw: {} }],
    ["BrokerOptions", null],
  ])("%s of the wrong shape is refused by name", (name, options) => {
    expect(() => new Broker(options as never)).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(name) as string }),
    );
  });
});

describe("a part that could not be drained", () => {
  const part = { name: "sse", stage: "clients", size: 0, stop: () => undefined, drain: async () => [] };
  it.each<[string, unknown]>([
    ["null", null],
    ["a function", () => undefined],
    ["one without a name", { ...part, name: "" }],
    ["one of no stage", { ...part, stage: "client" }],
    ["one that cannot stop", { ...part, stop: undefined }],
    ["one that cannot drain", { ...part, drain: [] }],
  ])("is refused by name: %s", (_, given) => {
    const { broker } = house();
    expect(() => broker.register(given as never)).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });
});

describe("data that cannot be an event", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);
  it.each<[string, string, unknown]>([
    ["a BigInt", "invalid_data", { price: 1n }],
    ["a cycle", "invalid_data", cyclic],
    ["a getter that throws", "invalid_data", throwing("get")],
    ["a toJSON that throws", "invalid_data", throwing("toJSON")],
    ["a function", "invalid_data", () => undefined],
    ["a symbol", "invalid_data", Symbol("x")],
    ["an array 100,000 deep", "invalid_data", deep],
    ["1 MiB", "event_too_large", "x".repeat(1_048_576)],
  ])("%s is refused as %s before it takes an id, and the neighbours go on", async (_name, code, data) => {
    const { broker, seen } = house();
    const all = await Promise.allSettled([1, data, 3].map((each) => broker.publish("a.b", each)));
    await turns(2);
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(all[1]).toMatchObject({ reason: { code } });
    expect([seen, broker.position.offset, broker.stats().dropped]).toEqual([[1, 3], 2, { [code]: 1 }]);
    await expect(
      broker.publishAll([
        { type: "a.b", data: 4 },
        { type: "a.b", data },
      ]),
    ).rejects.toMatchObject({ code });
    expect(broker.position.offset).toBe(2);
  });

  it.each(["added", "a.b\r\nid: 1", "a.b\n", "a.\u0000b", `a.${"b".repeat(127)}`, "client.gap", "", 7, null, ["a.b"]])(
    "of type %j is refused, and told",
    async (type) => {
      const moments: string[] = [];
      const { broker } = house({ observe: [({ kind }) => void moments.push(kind)] });
      await expect(broker.publish(type as never, 1)).rejects.toMatchObject({ code: "invalid_event_type" });
      expect([broker.position.offset, moments]).toContainEqual(["subscriberOpened", "publishRefused"]);
    },
  );
});

describe("what is said beside a publication", () => {
  it.each(["sub", "dedupkey", "traceparent"])("is refused when it is unknown: %s", async (key) => {
    const { broker } = house();
    const refused = expect.objectContaining({
      code: "invalid_option",
      message: expect.stringContaining(key) as string,
    });
    await expect(broker.publish("a.b", 1, { [key]: "x" })).rejects.toEqual(refused);
    await expect(broker.publishAll([{ type: "a.b", data: 1, [key]: "x" }])).rejects.toEqual(refused);
    expect(broker.eventsPublished).toBe(0);
  });
});

describe("the signal of run", () => {
  it.each([
    ["a name", "SIGINT"],
    ["its controller", new AbortController()],
  ])("is refused when it is %s", async (_, signal) => {
    const { broker } = house();
    await expect(broker.run({ signal: signal as never })).rejects.toMatchObject({ code: "invalid_option" });
  });
});

describe("a store that is still opening", () => {
  it("is refused with what to do", () => {
    expect(() => new Broker({ store: Promise.resolve(new MemoryStore()) as never })).toThrow(/await/);
  });
});

describe("a type that cannot even be made a text", () => {
  it.each([
    ["an object without a prototype", Object.create(null)],
    ["an object whose toString throws", { toString: () => thrown() }],
    ["a symbol", Symbol("a.b")],
  ])("such as %s is refused as a rejection, not a throw", async (_name, type: unknown) => {
    const { broker } = house();
    await expect(broker.publish(type as never, 1)).rejects.toMatchObject({ code: "invalid_event_type" });
    await expect(broker.publishAll([{ type: type as never, data: 1 }])).rejects.toMatchObject({
      code: "invalid_event_type",
    });
  });

  it("since its getter throws makes publishAll reject", async () => {
    const { broker } = house();
    const publication = Object.defineProperty({ type: "a.b", data: 1 }, "type", { get: () => thrown() });
    await expect(broker.publishAll([publication])).rejects.toThrow("no");
    expect(broker.position.offset).toBe(0);
  });
});

describe("a position", () => {
  it.each<[string, (epoch: string) => { readonly epoch: string; readonly offset: number }, Gap["reason"]]>([
    ["of another epoch", () => ({ epoch: "otherone", offset: 2 }), "epoch"],
    ["of another epoch, far ahead", () => ({ epoch: "otherone", offset: 1e15 }), "epoch"],
    ["of the future", (epoch) => ({ epoch, offset: 99 }), "unknown"],
    ["that retention took", (epoch) => ({ epoch, offset: 0 }), "trimmed"],
  ])("%s gives one gap, and what comes next is its `through` + 1", async (_name, from, reason) => {
    const { broker, seen } = house({ store: new MemoryStore({ retention: { maxEvents: 3 } }) });
    for (let data = 1; data <= 5; data += 1) await broker.publish("a.b", data);
    const { epoch } = broker.position;
    const gaps: Gap[] = [];
    const offsets: number[] = [];
    broker.attach(taker(offsets, gaps), { from: from(epoch) });
    await turns(4);
    expect(gaps).toEqual([{ after: from(epoch), through: { epoch, offset: 2 }, reason }]);
    expect([offsets, seen]).toEqual([
      [3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    const missed = reason === "trimmed" ? 2 : broker.stats().eventsDropped;
    expect(broker.stats()).toMatchObject({ eventsDropped: missed, dropped: { [reason]: missed } });
    expect(missed).toBeGreaterThan(0);
  });

  it("that could not be read gives a gap without a beginning", async () => {
    const { broker } = house();
    await broker.publish("a.b", 1);
    const gaps: Gap[] = [];
    const offsets: number[] = [];
    broker.attach(taker(offsets, gaps), { from: "unreadable" });
    await turns(4);
    expect(gaps).toMatchObject([{ after: null, reason: "unknown" }]);
    expect(offsets).toEqual([1]);
  });
});

describe("a subscription", () => {
  it.each<[string, (broker: Broker) => unknown]>([
    ["options that are none", (broker) => broker.subscribe(() => undefined, null as never)],
    ["a list for options", (broker) => broker.subscribe(() => undefined, [] as never)],
    ["no options to follow by", (broker) => broker.follow(null as never)],
    ["a signal that is none", (broker) => broker.follow({ signal: "soon" as never })],
    ["nobody", (broker) => broker.subscribe(null as never)],
    ["nobody at the port", (broker) => broker.attach(null as never)],
    ["a function at the port", (broker) => broker.attach((() => undefined) as never)],
  ])("of %s is refused with what was expected", (_, subscribe) => {
    const { broker } = house();
    const before = broker.subscriberCount;
    expect(() => subscribe(broker)).toThrow(InvalidOptionError);
    expect(broker.subscriberCount).toBe(before);
  });
});

describe("a subscriber", () => {
  it.each<[string, () => unknown]>([
    ["throws", () => thrown()],
    ["throws null", () => thrown(null)],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["never resolves", () => new Promise(() => undefined)],
    ["returns a hostile thenable", () => hostileThenable()],
  ])("that %s leaves its neighbours every event", async (_name, send) => {
    const { broker, seen } = house({ drain: { spreadMs: 0, deadlineMs: 0 } });
    const ill = broker.subscribe(send);
    for (let data = 1; data <= 3; data += 1) await broker.publish("a.b", data);
    await turns(5);
    expect(seen).toEqual([1, 2, 3]);
    void ill.close();
    void ill.close();
    expect(broker.subscriberCount).toBe(1);
  });

  it("that re-enters the broker from inside its event sees a total order", async () => {
    const { broker, seen } = house();
    let publishes = 3;
    const own: unknown[] = [];
    broker.subscribe(({ data }) => {
      own.push(data);
      if ((publishes -= 1) < 0) return;
      void broker.publish("a.b", `from ${String(data)}`);
      broker.subscribe(() => undefined, { from: "latest" });
    });
    await broker.publish("a.b", 1);
    await until(() => seen.length === 4);
    await turns(2);
    expect(own).toEqual(seen);
    expect(broker.subscriberCount).toBe(5);
  });

  it("is closed once, however often and from wherever", async () => {
    const { broker } = house();
    const closed: string[] = [];
    let line: Line | undefined;
    const subscription = broker.attach({
      open: (opened) => void (line = opened),
      deliver: ({ events }) => {
        void subscription.close();
        void subscription.close();
        return events.length;
      },
      gap: () => undefined,
      close: (reason) => {
        closed.push(reason);
        void subscription.close();
      },
    });
    await broker.publish("a.b", 1);
    await turns(3);
    await Promise.all([subscription.close(), subscription.close()]);
    line?.ready();
    line?.rewind();
    line?.acknowledge(broker.position);
    await broker.publish("a.b", 2);
    await turns(3);
    expect([closed, broker.subscriberCount]).toEqual([["unsubscribed"], 1]);
  });
});

function acceptsInfinity(name: string): boolean {
  return name === "maxSubscribers" || name === "pageCacheBytes";
}

function taker(offsets: number[], gaps: Gap[]): Subscriber {
  return {
    deliver: ({ events }) => offsets.push(...events.map(({ offset }) => offset)) && events.length,
    gap: (gap) => void gaps.push(gap),
    close: () => undefined,
  };
}

function house(options: BrokerOptions<never> | object = {}): { readonly broker: Broker; readonly seen: unknown[] } {
  const broker = new Broker({ observe: [], ...options });
  brokers.push(broker);
  const seen: unknown[] = [];
  broker.subscribe(({ data }) => void seen.push(data));
  return { broker, seen };
}

function throwing(name: "get" | "toJSON"): object {
  if (name === "toJSON") return { toJSON: () => thrown() };
  return Object.defineProperty({}, "price", { enumerable: true, get: () => thrown() });
}

function thrown(error: unknown = new Error("no")): never {
  throw error;
}

function hostileThenable(): object {
  // eslint-disable-next-line unicorn/no-thenable -- what a hostile library may hand over
  return Object.defineProperty({}, "then", { get: () => thrown() });
}
