import { afterEach, describe, expect, it } from "vitest";
import { AsyncLog } from "../../test/async-log.ts";
import { turns, until } from "../../test/fake-time.ts";
import { defineEvents, event, type StandardSchema } from "../event/vocabulary.ts";
import type { BrokerOptions } from "../options.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { Broker } from "./broker.ts";

const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("publications the engine has not kept yet", () => {
  it("are at most maxDrafts; beyond, overloaded, until it has", async () => {
    const { broker, log } = durable();
    log.holdsAppends = true;
    const waiting = Array.from({ length: 10_000 }, (_, data) => broker.publish("a.b", data));
    await expect(broker.publish("a.b", 1)).rejects.toMatchObject({ code: "overloaded", retryable: true });
    await expect(broker.publishAll([{ type: "a.b", data: 1 }])).rejects.toMatchObject({ code: "overloaded" });
    log.holdsAppends = false;
    log.answer();
    await Promise.all(waiting);
    expect((await broker.publish("a.b", 1)).id).toBe(`${log.epoch}-10001`);
    expect(broker.eventsDropped).toBe(2);
  });

  it("are at most so many bytes, too, and are given back when the engine refuses them", async () => {
    const { broker, log } = durable({ uncommitted: { maxBytes: 1_024 } });
    log.holdsAppends = true;
    const data = "x".repeat(400);
    const waiting = [broker.publish("a.b", data), broker.publish("a.b", data)];
    await expect(broker.publish("a.b", data)).rejects.toMatchObject({ code: "overloaded" });
    await log.close();
    log.holdsAppends = false;
    log.answer();
    await expect(Promise.all(waiting)).rejects.toMatchObject({ code: "log_closed" });
    await expect(broker.publish("a.b", data)).rejects.not.toMatchObject({ code: "overloaded" });
  });

  it("do not count when the engine keeps them at once", async () => {
    const { broker } = house({ uncommitted: { maxDrafts: 1 } });
    await Promise.all([1, 2, 3].map((data) => broker.publish("a.b", data)));
    expect(broker.eventsPublished).toBe(3);
  });
});

describe("publishAll", () => {
  it("is refused where the engine cannot commit a list as one", async () => {
    const { broker } = durable({}, { isAtomic: false });
    const list = [1, 2].map((data) => ({ type: "a.b", data }));
    await expect(broker.publishAll(list)).rejects.toMatchObject({ code: "unsupported" });
    expect(await broker.publishAll(list.slice(0, 1))).toHaveLength(1);
  });

  it("is contiguous, whatever a subscriber publishes meanwhile", async () => {
    const { broker } = house({ store: new MemoryStore({ retention: { maxEvents: 40 } }) });
    let isFirst = true;
    broker.attach(
      {
        deliver: ({ events }) => {
          if (isFirst) void broker.publish("in.between", 0);
          isFirst = false;
          return events.length;
        },
        gap: () => undefined,
        close: () => undefined,
      },
      { from: "latest" },
    );
    await turns(2);
    const before = Array.from({ length: 10 }, () => broker.publish("a.b", 0));
    const list = await broker.publishAll(Array.from({ length: 20 }, (_, data) => ({ type: "in.list", data })));
    await Promise.all(before);
    expect(list.map(({ id }) => id)).toEqual(
      Array.from({ length: 20 }, (_, index) => `${broker.position.epoch}-${11 + index}`),
    );
    expect(broker.position.offset).toBe(31);
  });

  it("meets dedupe keys of earlier events and of its own", async () => {
    const { broker } = house();
    await broker.publish("a.b", "first", { dedupeKey: "k" });
    const list = await broker.publishAll([
      { type: "a.b", data: 1, dedupeKey: "k" },
      { type: "a.b", data: 2, dedupeKey: "l" },
      { type: "a.b", data: 3, dedupeKey: "l" },
    ]);
    expect(list.map(({ data, isDuplicate }) => [data, isDuplicate])).toEqual([
      ["first", true],
      [2, false],
      [2, true],
    ]);
    expect(broker.position.offset).toBe(2);
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "a.b"],
    ["a list of nothing", [null]],
  ])("of %s rejects, and does not throw", async (_name, publications) => {
    const { broker } = house();
    await expect(broker.publishAll(publications as never)).rejects.toMatchObject({ code: "invalid_option" });
  });
});

describe("a vocabulary whose functions cannot do with the data", () => {
  it.each([
    ["subject throws", event<never>({ subject: (data: { readonly model: { readonly id: string } }) => data.model.id })],
    ["the validator throws", event(schemaOf(() => explode()))],
  ])("refuses it as invalid_data, and takes no id: %s", async (_name, definition) => {
    const { broker } = house({ events: defineEvents({ "a.b": definition }) as never });
    await expect(broker.publish("a.b", {} as never)).rejects.toMatchObject({ code: "invalid_data" });
    expect([broker.position.offset, broker.stats().dropped]).toEqual([0, { invalid_data: 1 }]);
  });

  it("refuses an asynchronous validator, also of another library's promises that reject", async () => {
    const thenable = {
      // eslint-disable-next-line unicorn/no-thenable -- a promise that is no `Promise` is what is tested
      then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error("later")),
    };
    const { broker } = house({ events: defineEvents({ "a.b": event(schemaOf(() => thenable)) }) as never });
    await expect(broker.publish("a.b", 1)).rejects.toMatchObject({ code: "unsupported" });
    expect(broker.position.offset).toBe(0);
  });
});

describe("options that are none", () => {
  it.each([null, 7, "k"])("reject as invalid_option: %j", async (options) => {
    const { broker } = house();
    await expect(broker.publish("a.b", 1, options as never)).rejects.toMatchObject({ code: "invalid_option" });
  });
});

describe("subscribing with options that cannot be used", () => {
  it.each<[string, object | null]>([
    ["name", { name: 7 }],
    ["name", { name: "" }],
    ["name", { name: "x".repeat(257) }],
    ["from", { from: "yesterday" }],
    ["from", { from: null }],
    ["from", { from: { epoch: "e", offset: NaN } }],
    ["from", { from: { epoch: "e", offset: -1 } }],
    ["maxReplayEvents", { maxReplayEvents: NaN }],
    ["maxReplayEvents", { maxReplayEvents: -1 }],
    ["onGap", { onGap: "log" }],
    ["types", { typs: ["a.*"] }],
    ["SubscribeOptions", null],
  ])("is refused before anything has changed, and names %s: %j", (named, options) => {
    const { broker } = house();
    expect(() => broker.attach(idle, options as never)).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(named) as string }),
    );
    expect(broker.subscriberCount).toBe(0);
  });
});

describe("callbacks written as async functions that reject", () => {
  it("end no process: observers, onGap, and a subscriber against its contract", async () => {
    const moments: string[] = [];
    const broker: Broker = new Broker({
      store: new MemoryStore({ retention: { maxEvents: 10 } }),
      observe: [() => Promise.reject(new Error("observer")), ({ kind }) => void moments.push(kind)],
    });
    brokers.push(broker);
    for (let data = 0; data < 20; data += 1) await broker.publish("a.b", data);
    broker.subscribe(() => undefined, { onGap: () => Promise.reject(new Error("onGap")) });
    const reject = (): never => Promise.reject(new Error("async")) as never;
    const from = { epoch: broker.position.epoch, offset: 0 };
    broker.attach(
      { open: reject, deliver: ({ events }) => events.length, gap: () => undefined, close: reject },
      { from },
    );
    broker.attach({ deliver: reject, gap: () => undefined, close: () => undefined }, { from });
    broker.attach({ deliver: ({ events }) => events.length, gap: reject, close: () => undefined }, { from });
    await until(() => broker.subscriberCount === 1);
    await turns(3);
    expect(moments.filter((kind) => kind === "subscriberFailed").length).toBeGreaterThanOrEqual(4);
    expect(moments).toContain("observerFailed");
  });
});

describe("one subscriber object attached twice", () => {
  it("has two lives, and a failure ends the one that failed", async () => {
    const { broker } = house();
    let calls = 0;
    const subscriber = {
      deliver: ({ events }: { readonly events: readonly unknown[] }) => {
        calls += 1;
        if (calls === 1) throw new Error("the first only");
        return events.length;
      },
      gap: () => undefined,
      close: () => undefined,
    };
    const first = broker.attach(subscriber, { from: "latest" });
    const second = broker.attach(subscriber, { from: "latest" });
    await turns(2);
    await broker.publish("a.b", 1);
    await turns(2);
    expect([first.isClosed, second.isClosed, broker.subscriberCount]).toEqual([true, false, 1]);
    await second.close();
  });
});

const idle = { deliver: () => 0, gap: () => undefined, close: () => undefined };

function house(options: BrokerOptions<never> | object = {}): { readonly broker: Broker } {
  const broker = new Broker({ observe: [], ...options });
  brokers.push(broker);
  return { broker };
}

function durable(options: object = {}, log: { readonly isAtomic?: boolean } = {}) {
  const engine = new AsyncLog({ maxEvents: 100_000, ...log });
  const { checkpoints, deliveries, records } = new MemoryStore();
  const store = { log: engine, checkpoints, deliveries, records, close: () => engine.close() };
  return { ...house({ store, ...options }), log: engine };
}

function schemaOf(validate: () => unknown): StandardSchema<never> {
  return { "~standard": { version: 1, vendor: "test", validate: validate as never } };
}

function explode(): never {
  throw new Error("no");
}
