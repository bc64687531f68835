import {
  Broker,
  parsePosition,
  type BrokerOptions,
  type EventMap,
  type Gap,
  type SubscribeOptions,
} from "@starcast/core";
import { afterEach, describe, expect, it } from "vitest";
import type { SqliteOptions } from "../src/index.ts";
import { houseOfFiles, outcomeOf, type House } from "./house.ts";

const house = houseOfFiles();
const brokers: Broker[] = [];

afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

/** One life of a service on the file. */
async function life(
  rooms: House,
  options: SqliteOptions = {},
  more: Pick<BrokerOptions<EventMap>, "drain"> = {},
): Promise<Broker> {
  const broker = new Broker({ store: await rooms.open(options), observe: [], ...more });
  brokers.push(broker);
  return broker;
}

/** Subscribes, and waits for so many events and gaps. */
async function collect(broker: Broker, count: number, options: SubscribeOptions): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    const note = (each: unknown): void => {
      seen.push(each);
      if (seen.length === count) resolve();
    };
    broker.subscribe((event) => note(event.data), { ...options, onGap: (gap: Gap) => note(gap) });
  });
  return seen.slice(0, count);
}

describe("a broker on a SqliteStore, over restarts", () => {
  it("lets a named subscription go on behind what it acknowledged", async () => {
    const rooms = house();
    const first = await life(rooms);
    const seen = collect(first, 3, { name: "search-index" });
    for (const number of [1, 2, 3]) await first.publish("number.counted", number);
    expect(await seen).toEqual([1, 2, 3]);
    await first.close();

    const second = await life(rooms);
    await second.publish("number.counted", 4);
    expect(await collect(second, 1, { name: "search-index" })).toEqual([4]);
    await second.close();

    const third = await life(rooms);
    await third.publish("number.counted", 5);
    expect(await collect(third, 1, { name: "search-index" })).toEqual([5]);
  });

  it("gives a named subscription again what it was given but had not finished", async () => {
    const rooms = house();
    const first = await life(rooms, {}, { drain: { spreadMs: 0, deadlineMs: 100 } });
    let begun: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    first.subscribe(
      (event) => {
        if (event.data !== 2) return undefined;
        begun();
        return new Promise(() => undefined);
      },
      { name: "search-index" },
    );
    for (const number of [1, 2, 3]) await first.publish("number.counted", number);
    await beginning;
    await first.close();
    expect(await collect(await life(rooms), 2, { name: "search-index" })).toEqual([2, 3]);
  });

  it("knows the dedupe key of a publication, whichever life it was of", async () => {
    const rooms = house();
    const first = await life(rooms);
    const event = await first.publish("model.added", { id: "a" }, { dedupeKey: "sync-1/a" });
    await first.close();
    const second = await life(rooms);
    const again = await second.publish("model.added", { id: "changed" }, { dedupeKey: "sync-1/a" });
    expect(again).toMatchObject({ id: event.id, timestamp: event.timestamp, data: { id: "a" }, isDuplicate: true });
    expect(second.position.offset).toBe(1);
  });

  it("publishes a list as one: contiguous, or not at all", async () => {
    const rooms = house();
    const broker = await life(rooms, { retention: { maxEvents: 100 } });
    const list = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ type: "number.counted", data: first + index }));
    const lists = await Promise.all([broker.publishAll(list(1, 20)), broker.publishAll(list(21, 20))]);
    expect(lists.flat().map(({ id }) => parsePosition(id)?.offset)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    expect(await outcomeOf(broker.publishAll(list(41, 60)))).toBe("overloaded");
    expect(await outcomeOf(broker.publishAll([...list(41, 2), { type: "number.counted", data: 1n }]))).toBe(
      "invalid_data",
    );
    await broker.close();
    expect((await life(rooms)).position.offset).toBe(40);
  });

  it("resumes a client exactly where it was, without a gap", async () => {
    const rooms = house();
    const first = await life(rooms);
    const events = [];
    for (let number = 1; number <= 600; number += 1) events.push(first.publish("number.counted", number));
    const ids = (await Promise.all(events)).map(({ id }) => id);
    await first.close();
    const second = await life(rooms);
    const from = parsePosition(ids[99] ?? "");
    if (from === null) throw new Error("Expected a position, got none");
    const live = second.publish("number.counted", 601);
    expect(await collect(second, 501, { from })).toEqual(Array.from({ length: 501 }, (_, index) => 101 + index));
    await live;
  });

  it("tells a client of retention, and of another epoch, with an exact gap", async () => {
    const rooms = house();
    const first = await life(rooms, { bootId: "boot-1", retention: { maxEvents: 10 } });
    const ids: string[] = [];
    for (let number = 1; number <= 30; number += 1) ids.push((await first.publish("number.counted", number)).id);
    const { epoch } = first.position;
    await first.close();
    const second = await life(rooms, { retention: { maxEvents: 10 } });
    const from = { epoch, offset: 5 };
    expect(await collect(second, 2, { from })).toEqual([
      { after: from, through: { epoch, offset: 20 }, reason: "trimmed" },
      21,
    ]);
    const stranger = { epoch: "another1", offset: 25 };
    expect(await collect(second, 2, { from: stranger })).toEqual([
      { after: stranger, through: { epoch, offset: 20 }, reason: "epoch" },
      21,
    ]);
  });
});
