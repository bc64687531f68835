import { describe, expect, it } from "vitest";
import { AsyncLog } from "../../test/async-log.ts";
import { fakeTime, turns, until } from "../../test/fake-time.ts";
import type { Encoding } from "../encoding/encoding.ts";
import type { EventDraft } from "../event/event.ts";
import type { Subscriber } from "../subscriber/subscriber.ts";
import { compileFilter, everything } from "./filter.ts";
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

function house() {
  const work = { touches: 0, encodings: 0 };
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
    const client = { taken: 0 };
    const subscriber: Subscriber = {
      deliver: (batch) => {
        batch.bytes(encoding);
        client.taken += batch.events.length;
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
  const publish = async (type: string): Promise<void> => {
    const draft: EventDraft = { type, subject: undefined, json: "1", sizeBytes: 100, dedupeKey: undefined };
    await log.append([draft]);
  };
  return { log, join, publish, work };
}
