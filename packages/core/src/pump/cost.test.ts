import { describe, expect, it } from "vitest";
import { AsyncLog } from "../../test/async-log.ts";
import { fakeTime, turns, until } from "../../test/fake-time.ts";
import type { Encoding } from "../encoding/encoding.ts";
import type { EventDraft } from "../event/event.ts";
import type { Subscriber } from "../subscriber/subscriber.ts";
import { compileFilter, everything, type CompiledFilter, type Filter } from "./filter.ts";
import { Pump } from "./pump.ts";
import type { StartingPoint } from "./starting-point.ts";

const clients = 1_000;

// Counts, not times: they are the same on every machine.
describe("what many clients cost", () => {
  it("grows per tick with those that have something to receive, not with all", async () => {
    const { join, publish, work } = house();
    const idle = Array.from({ length: clients }, () => join("latest", compileFilter({ types: ["idle.*"] })));
    const busy = Array.from({ length: 10 }, () => join("latest", compileFilter({ types: ["busy.*"] })));
    await turns(2);
    work.touches = 0;
    for (let round = 0; round < 20; round += 1) {
      await publish("busy.one");
      await turns(1);
    }
    expect(busy.map(({ taken }) => taken)).toEqual(Array.from({ length: 10 }, () => 20));
    // An offer reads the subscriber once and writes the place twice; the idle ones are not touched at all.
    expect(work.touches).toBeLessThanOrEqual(10 * 20 * 3);
    // They are at the head all the same.
    for (const { cursor } of idle) expect(cursor.position.offset).toBe(20);
  });

  it("asks only filters that list the subject of an event, and gives each what it lets through, in order", async () => {
    const { join, publish, work } = house();
    const subjects = Array.from({ length: clients }, (_, index) => `user-${index}`);
    const own = subjects.map((subject) => join("latest", counting(work, { subjects: [subject] })));
    const several = join("latest", counting(work, { subjects: ["user-3", "user-1"], types: ["busy.*"] }));
    const prefix = join("latest", counting(work, { subjects: ["user-1*", "user-3"] }));
    const all = join("latest");
    await turns(2);
    work.asks = 0;
    for (const index of [1, 2, 3, 1]) await publish("busy.one", `user-${index}`);
    await publish("idle.one", "user-3");
    await publish("busy.one");
    await turns(2);
    expect(own.slice(0, 5).map(({ got }) => got)).toEqual([[], [1, 4], [2], [3, 5], []]);
    expect(several.got).toEqual([1, 3, 4]);
    expect(prefix.got).toEqual([1, 3, 4, 5]);
    expect(all.got).toEqual([1, 2, 3, 4, 5, 6]);
    // One who lists it for each of five events, one for four of them, and the prefix for all six.
    expect(work.asks).toBe(5 + 4 + 6);
    for (const { cursor } of own) expect(cursor.position.offset).toBe(6);
  });

  it("is no place of its own for who has had nothing to receive", async () => {
    const { join, publish } = house();
    const own = join("latest", compileFilter({ subjects: ["user-1"] }));
    join("latest", compileFilter({ subjects: ["user-2"] }));
    await turns(2);
    for (let round = 0; round < 3; round += 1) {
      await publish("busy.one", "user-2");
      await turns(1);
    }
    await publish("busy.one", "user-1");
    await turns(1);
    expect(own.from).toEqual([3]);
  });

  it("is one encoding per event and one read per page when each comes back from another place", async () => {
    const { log, join, publish, work } = house();
    const events = 1_200;
    for (let index = 0; index < events; index += 1) await publish("busy.one");
    await turns(2);
    const all = Array.from({ length: clients }, (_, offset) => join({ epoch: log.epoch, offset }, everything));
    await until(() => all.every(({ cursor }) => cursor.position.offset === events));
    for (const [index, { taken }] of all.entries()) expect(taken).toBe(events - index);
    // An event stands in a page and in the hot window, and is encoded once in each at most.
    expect(work.encodings).toBeLessThanOrEqual(events + hotEvents);
    expect(log.reads.length).toBeLessThanOrEqual(Math.ceil(events / 256));
  });
});

const hotEvents = 100;

/** A filter that counts how often it is asked. */
function counting(work: { asks: number }, filter: Filter): CompiledFilter {
  const compiled = compileFilter(filter);
  return {
    key: compiled.key,
    subjects: compiled.subjects,
    matches: (event) => {
      work.asks += 1;
      return compiled.matches(event);
    },
  };
}

function house() {
  const work = { touches: 0, encodings: 0, asks: 0 };
  const encoding: Encoding = {
    name: "counted",
    encode: ({ json }) => {
      work.encodings += 1;
      return new TextEncoder().encode(json);
    },
  };
  const log = new AsyncLog({ maxEvents: 100_000 });
  const pump = new Pump({
    log,
    surroundings: fakeTime(),
    hotWindow: { maxEvents: hotEvents, maxBytes: 1_000_000 },
    pageCacheBytes: 10_000_000,
    flushMs: 0,
    onGap: () => undefined,
    onFailed: (_cursor, error) => {
      throw error;
    },
    onReadFailed: (_after, error) => {
      throw error;
    },
  });
  const join = (from: StartingPoint, filter = everything) => {
    const client = { taken: 0, got: [] as number[], from: [] as number[] };
    const subscriber: Subscriber = {
      deliver: (batch) => {
        batch.bytes(encoding);
        client.taken += batch.events.length;
        client.from.push(batch.after.offset);
        client.got.push(...batch.events.map((event) => event.offset));
        return batch.events.length;
      },
      gap: () => undefined,
      close: () => undefined,
    };
    const cursor = pump.add({ subscriber, from, maxReplayEvents: Infinity }, filter);
    // Whoever moves this cursor, or offers it something, has to read its subscriber or write its place.
    let { offset } = cursor;
    Object.defineProperties(cursor, {
      subscriber: { get: () => ((work.touches += 1), subscriber) },
      offset: {
        get: () => offset,
        set: (value: number) => {
          work.touches += 1;
          offset = value;
        },
      },
    });
    return Object.assign(client, { cursor });
  };
  const publish = async (type: string, subject?: string): Promise<void> => {
    const draft: EventDraft = { type, subject, json: "1", sizeBytes: 100, dedupeKey: undefined };
    await log.append([draft]);
  };
  return { log, join, publish, work };
}
