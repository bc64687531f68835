import { describe, expect, it } from "vitest";
import { AsyncLog } from "../../test/async-log.ts";
import { fakeTime, turns, until } from "../../test/fake-time.ts";
import type { EventDraft } from "../event/event.ts";
import type { Gap, Line, Subscriber } from "../subscriber/subscriber.ts";
import { maxConcurrentReads, readRetryMs } from "./catch-up.ts";
import { compileFilter, everything } from "./filter.ts";
import { Pump } from "./pump.ts";
import type { StartingPoint } from "./starting-point.ts";

describe("a cursor behind the hot window", () => {
  it("gets everything once and in order, while publishing goes on", async () => {
    const { log, join, publish } = house();
    await publish(1_000);
    const seen = join("earliest");
    for (let round = 0; round < 20; round += 1) {
      await publish(37);
      await turns(1);
    }
    await until(() => seen.offsets.length >= 1_740);
    expect(seen.offsets).toEqual(range(1, 1_740));
    expect([seen.gaps, log.running]).toEqual([[], 0]);
  });

  it("shares each read with all who need it", async () => {
    const { log, join, publish } = house();
    await publish(600);
    const all = Array.from({ length: 50 }, (_, index) => join({ epoch: log.epoch, offset: index }));
    await until(() => all.every(({ offsets }) => offsets.at(-1) === 600));
    expect(log.reads).toEqual([0, 256, 512]);
    for (const [index, { offsets }] of all.entries()) expect(offsets).toEqual(range(index + 1, 600));
  });

  it("is told of a hole inside what is retained as an exact gap, with what is behind it next", async () => {
    const { log, join, publish } = house();
    await publish(1_000);
    const lost = [...range(5, 9), ...range(250, 600), 700];
    for (const offset of lost) log.holes.add(offset);
    const seen = join("earliest");
    await until(() => seen.offsets.at(-1) === 1_000);
    expect(seen.offsets).toEqual(range(1, 1_000).filter((offset) => !log.holes.has(offset)));
    expect(seen.gaps.map(({ after, through }) => [after?.offset, through.offset])).toEqual([
      [4, 9],
      [249, 600],
      [699, 700],
    ]);
  });

  it("that fell off the log while it was read gets one gap, then the oldest retained event", async () => {
    const { log, join, publish } = house({ retained: 100 });
    await publish(100);
    log.isHeld = true;
    const seen = join({ epoch: log.epoch, offset: 10 });
    await turns(3);
    await publish(200);
    log.isHeld = false;
    log.answer();
    await until(() => seen.offsets.at(-1) === 300);
    expect(seen.gaps).toMatchObject([{ after: { offset: 10 }, through: { offset: 200 }, reason: "trimmed" }]);
    expect(seen.offsets).toEqual(range(201, 300));
  });

  it("reads events above one read's bytes in parts", async () => {
    const { log, join, publish } = house();
    await publish(40, 300_000);
    await publish(30);
    const seen = join("earliest");
    await until(() => seen.offsets.at(-1) === 70);
    expect(seen.offsets).toEqual(range(1, 70));
    expect(log.reads.length).toBeLessThan(40);
  });

  it("with a filter that lets nothing through still reaches the head", async () => {
    const { join, publish, pump } = house();
    await publish(1_000);
    const seen = join("earliest", compileFilter({ types: ["other.*"] }));
    await until(() => pump.isCaughtUp);
    expect([seen.offsets, seen.line?.position.offset]).toEqual([[], 1_000]);
  });
});

describe("reads", () => {
  it("are at most maxConcurrentReads at once", async () => {
    const { log, join, publish } = house();
    await publish(256 * 20);
    log.isHeld = true;
    const all = Array.from({ length: 20 }, (_, page) => join({ epoch: log.epoch, offset: page * 256 }));
    await turns(3);
    expect(log.running).toBe(maxConcurrentReads);
    log.isHeld = false;
    log.answer();
    await until(() => all.every(({ offsets }) => offsets.at(-1) === 256 * 20));
    expect(log.mostRunning).toBe(maxConcurrentReads);
  });

  it("that fail are told and tried again, and nothing is missed", async () => {
    const { log, join, publish, time, failures } = house();
    await publish(500);
    log.failing = 3;
    const seen = join("earliest");
    await until(() => failures.length === 1);
    expect(seen.offsets).toEqual([]);
    await time.advance(readRetryMs * 2);
    await time.advance(readRetryMs);
    await until(() => seen.offsets.at(-1) === 500);
    expect([failures.length, seen.offsets, seen.gaps]).toEqual([3, range(1, 500), []]);
  });

  it("that fail are not tried again for those who left", async () => {
    const { log, join, publish, time, pump, failures } = house();
    await publish(500);
    log.failing = 1_000;
    const seen = join("earliest");
    await until(() => failures.length === 1);
    pump.remove(seen.cursor);
    await time.advance(readRetryMs * 3);
    expect([failures.length, log.reads.length, time.timers]).toEqual([1, 1, 0]);
  });

  it("that wait their turn are not made for those who left", async () => {
    const { log, join, publish, pump } = house();
    await publish(256 * 8);
    log.isHeld = true;
    const all = Array.from({ length: 8 }, (_, page) => join({ epoch: log.epoch, offset: page * 256 }));
    await turns(3);
    for (const { cursor } of all) pump.remove(cursor);
    log.answer();
    await turns(3);
    expect([log.reads.length, log.running]).toEqual([maxConcurrentReads, 0]);
  });

  it("leave no timer when the pump is closed, whatever they answer later", async () => {
    const { log, join, publish, time, pump, failures } = house();
    await publish(500);
    log.failing = 1;
    join("earliest");
    await until(() => failures.length === 1);
    log.isHeld = true;
    join({ epoch: log.epoch, offset: 300 });
    await turns(2);
    pump.close();
    log.answer();
    await turns(3);
    expect([time.timers, log.running]).toEqual([0, 0]);
  });
});

describe("rewinding and changing the filter while a page is read", () => {
  it("repeats nothing and leaves nothing out", async () => {
    const { log, join, publish, pump } = house();
    await publish(600);
    log.isHeld = true;
    const seen = join("earliest");
    await turns(3);
    seen.line?.rewind();
    await turns(3);
    pump.setFilter(seen.cursor, compileFilter({ types: ["a.*"] }), null);
    await turns(3);
    pump.setFilter(seen.cursor, everything, null);
    log.isHeld = false;
    log.answer();
    await until(() => seen.offsets.at(-1) === 600);
    expect(seen.offsets).toEqual(range(1, 600));
  });
});

describe("a position past the head known here", () => {
  it("is resumed exactly when the engine knows it, though its events have not come yet", async () => {
    const { log, join, publish } = house();
    await publish(50);
    log.lag = 10;
    const seen = join({ epoch: log.epoch, offset: 45 });
    await turns(5);
    log.lag = 0;
    await publish(1);
    await turns(3);
    expect([seen.line?.start, seen.gaps, seen.offsets]).toEqual([
      { position: { epoch: log.epoch, offset: 45 }, isResumed: true },
      [],
      range(46, 51),
    ]);
  });

  it("is asked for again when the engine does not answer", async () => {
    const { log, join, publish, time, failures } = house();
    await publish(50);
    log.failing = 1;
    const seen = join({ epoch: log.epoch, offset: 99 });
    await until(() => failures.length === 1);
    await time.advance(readRetryMs);
    await until(() => seen.offsets.length === 50);
    expect(seen.gaps).toMatchObject([{ after: { offset: 99 }, through: { offset: 0 }, reason: "unknown" }]);
  });

  it("may be replaced by a change of filter before it is judged", async () => {
    const { log, join, publish, pump } = house();
    await publish(50);
    log.isHeld = true;
    const seen = join({ epoch: log.epoch, offset: 99 });
    expect(pump.setFilter(seen.cursor, everything, 40)).toBe(40);
    log.answer();
    await until(() => seen.offsets.length === 10);
    expect([seen.offsets, seen.gaps]).toEqual([range(41, 50), []]);
  });
});

interface Seen extends Subscriber {
  readonly offsets: number[];
  readonly gaps: Gap[];
  line: Line | null;
  cursor: ReturnType<Pump["add"]>;
}

/** A log of much more than the hot window of 20. */
function house(options: { readonly retained?: number } = {}) {
  const time = fakeTime();
  const log = new AsyncLog({ maxEvents: options.retained ?? 100_000 });
  const failures: unknown[] = [];
  const pump = new Pump({
    log,
    surroundings: time,
    hotWindow: { maxEvents: 20, maxBytes: 1_000_000 },
    pageCacheBytes: 10_000_000,
    flushMs: 0,
    onGap: () => undefined,
    onFailed: (_cursor, error) => {
      throw error;
    },
    onReadFailed: (_after, error) => void failures.push(error),
  });
  const join = (from: StartingPoint, filter = everything): Seen => {
    const subscriber: Omit<Seen, "cursor"> = {
      offsets: [],
      gaps: [],
      line: null,
      open: (line) => void (subscriber.line = line),
      deliver: (batch) => subscriber.offsets.push(...batch.events.map(({ offset }) => offset)) && batch.events.length,
      gap: (gap) => void subscriber.gaps.push(gap),
      close: () => undefined,
    };
    const cursor = pump.add({ subscriber, from, maxReplayEvents: Infinity }, filter);
    return Object.assign(subscriber, { cursor });
  };
  const publish = async (count: number, sizeBytes = 100): Promise<void> => {
    for (let index = 0; index < count; index += 1) await log.append([{ ...draft, sizeBytes }]);
  };
  return { time, log, pump, join, publish, failures };
}

const draft: EventDraft = { type: "a.b", subject: undefined, json: "1", sizeBytes: 100, dedupeKey: undefined };

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
