import { describe, expect, it } from "vitest";
import { json } from "../encoding/json.ts";
import type { Batch } from "../encoding/batch.ts";
import type { EventDraft } from "../event/event.ts";
import type { LogEvent } from "../event/log-event.ts";
import { MemoryLog } from "../log/memory-log.ts";
import type { Gap, Line, Subscriber } from "../subscriber/subscriber.ts";
import { compileFilter, everything } from "./filter.ts";
import { freshEvents } from "./fresh-bytes.ts";
import { pageEvents } from "./page.ts";
import { Pump } from "./pump.ts";
import type { StartingPoint } from "./starting-point.ts";

describe("a subscriber that takes every batch", () => {
  it("sees no gap when 300 events are published in one turn into a log of 100", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder();
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(300);
    turn();
    expect(seen.gaps).toEqual([]);
    expect(seen.offsets).toEqual(oneTo(300));
  });

  it("is at the head after one tick, wherever it started", () => {
    const { pump, publish, turn } = house({ capacity: 10_000 });
    publish(3_000);
    turn();
    const starts: StartingPoint[] = ["earliest", "latest", { epoch: "e", offset: 1_234 }];
    const all = starts.map(() => recorder());
    const cursors = all.map((each, index) => pump.add(spec(each, fix(starts[index] ?? "latest", pump)), everything));
    publish(1);
    turn();
    expect(cursors.map((cursor) => cursor.position.offset)).toEqual([3_001, 3_001, 3_001]);
    expect(all.map(({ offsets }) => offsets.length)).toEqual([3_001, 1, 1_767]);
  });
});

describe("a subscriber that takes only some", () => {
  it("is offered nothing more until its line is ready, then goes on where it stopped", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder({ takes: 2 });
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(5);
    turn();
    publish(1);
    turn();
    expect(seen.offsets).toEqual([1, 2]);
    seen.line?.ready();
    turn();
    expect(seen.offsets).toEqual([1, 2, 3, 4]);
  });

  it("gets one gap with both ends when it fell off the log, then the oldest retained event", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder({ takes: 51, inAll: true });
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(300);
    turn();
    seen.takes = Infinity;
    seen.line?.ready();
    turn();
    expect(seen.gaps.map(({ after, through, reason }) => [after?.offset, through.offset, reason])).toEqual([
      [51, 200, "trimmed"],
    ]);
    expect(seen.offsets[50]).toBe(51);
    expect(seen.offsets.slice(51)).toEqual(oneTo(300).slice(200));
  });
});

describe("bytes", () => {
  it("are made once per event, however many subscribers there are and wherever they start", () => {
    const { pump, publish, turn } = house({ capacity: 10_000 });
    let encoded = 0;
    const counting = { name: "counting", encode: (event: LogEvent) => ((encoded += 1), json.encode(event)) };
    publish(2_000);
    turn();
    for (let index = 0; index < 200; index += 1) {
      pump.add(
        spec(
          recorder({ onBatch: (batch) => void batch.bytes(counting) }),
          fix({ epoch: "e", offset: index * 10 }, pump),
        ),
        everything,
      );
    }
    turn();
    publish(100);
    turn();
    expect(encoded).toBe(2_100);
  });

  it("stay with the newest events only, and are made once more for those who come late", () => {
    const { pump, publish, turn } = house({ capacity: 10_000 });
    let encoded = 0;
    const counting = { name: "counting", encode: (event: LogEvent) => ((encoded += 1), json.encode(event)) };
    const join = (offset: number): void => {
      const taker = recorder({ onBatch: (batch) => void batch.bytes(counting) });
      pump.add(spec(taker, fix({ epoch: "e", offset }, pump)), everything);
    };
    const comers = (offset: number): number => {
      const before = encoded;
      for (let count = 0; count < 50; count += 1) join(offset);
      turn();
      return encoded - before;
    };
    join(0);
    for (let round = 0; round < 20; round += 1) {
      publish(100);
      turn();
    }
    expect(encoded).toBe(2_000);
    // The first page that is fresh as a whole.
    expect(comers(Math.ceil((2_000 - freshEvents) / pageEvents) * pageEvents)).toBe(0);
    expect(comers(0)).toBe(2_000 - freshEvents);
    // Made again, they stay, however many come and however much is published.
    publish(100);
    turn();
    expect(comers(0)).toBe(0);
    expect(comers(0)).toBe(0);
  });

  it("of a batch are the bytes of its events, in pieces that end on events", () => {
    const { pump, publish, turn } = house({ capacity: 10_000 });
    const seen: number[] = [];
    publish(1_000);
    turn();
    const onBatch = (batch: Batch): void => {
      for (let index = 0; index < batch.events.length;) {
        const piece = batch.piece(json, index);
        const own = batch.events.slice(index, index + piece.count);
        expect(Buffer.concat(own.map((event) => event.bytes(json))).equals(piece.bytes)).toBe(true);
        expect(piece.bytes.length).toBeLessThanOrEqual(65_536);
        seen.push(...own.map(({ offset }) => offset));
        index += piece.count;
      }
    };
    pump.add(spec(recorder({ onBatch }), fix({ epoch: "e", offset: 77 }, pump)), everything);
    turn();
    expect(seen).toEqual(oneTo(1_000).slice(77));
  });
});

describe("a filter that matches nothing", () => {
  it("still moves the place of its subscribers", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder();
    const cursor = pump.add(spec(seen, "latest"), compileFilter({ types: ["other.*"] }));
    turn();
    publish(10);
    turn();
    expect(seen.batches).toBe(0);
    expect(cursor.position.offset).toBe(10);
  });
});

describe("publishing from inside deliver", () => {
  it("waits for the next tick also when it is more than half of what the window holds", () => {
    const { pump, publish, turn } = house({ capacity: 20 });
    const first = recorder({ onBatch: ({ events }) => events[0]?.offset === 1 && publish(15) });
    const second = recorder();
    for (const each of [first, second]) pump.add(spec(each, "latest"), everything);
    turn();
    publish(1);
    turn();
    expect([first.offsets, second.offsets]).toEqual([[1], [1]]);
    turn();
    expect([first.offsets, second.offsets]).toEqual([oneTo(16), oneTo(16)]);
  });

  it("waits for the next tick, and the order stays total", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder();
    pump.add(spec(recorder({ onBatch: (batch) => batch.events.length === 3 && publish(1) }), "latest"), everything);
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(3);
    turn();
    expect(seen.offsets).toEqual([1, 2, 3]);
    turn();
    expect(seen.offsets).toEqual([1, 2, 3, 4]);
  });
});

describe("a rewound line", () => {
  it("is dead, and a new one offers everything after the last acknowledged event", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen = recorder();
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(5);
    turn();
    const first = seen.line;
    first?.acknowledge({ epoch: first.position.epoch, offset: 2 });
    first?.rewind();
    first?.rewind();
    turn();
    expect(seen.line).not.toBe(first);
    expect(seen.offsets).toEqual([1, 2, 3, 4, 5, 3, 4, 5]);
    first?.acknowledge({ epoch: first.position.epoch, offset: 5 });
    seen.line?.rewind();
    turn();
    expect(seen.offsets.slice(8)).toEqual([3, 4, 5]);
  });

  it("from inside deliver does not loop", () => {
    const { pump, publish, turn } = house({ capacity: 100 });
    const seen: Recorder = recorder({ onBatch: () => seen.line?.rewind() });
    pump.add(spec(seen, "latest"), everything);
    turn();
    publish(2);
    turn();
    const once = seen.batches;
    turn();
    expect([once, seen.batches]).toEqual([1, 2]);
  });
});

describe("a position that cannot be resumed", () => {
  it.each([
    ["another epoch", { epoch: "other", offset: 7 }, { epoch: "other", offset: 7 }, "epoch"],
    ["the future", { epoch: "e", offset: 999 }, "same", "unknown"],
    ["unreadable", "unreadable", null, "unknown"],
  ] as const)("yields a gap and the oldest retained place: %s", async (_name, from, after, reason) => {
    const { pump, publish, turn } = house({ capacity: 100 });
    publish(150);
    turn();
    const seen = recorder();
    pump.add(spec(seen, fix(from, pump)), everything);
    await Promise.resolve().then(() => undefined);
    turn();
    expect(seen.gaps).toMatchObject([
      { reason, through: { offset: 50 }, ...(after === "same" ? { after: { offset: 999 } } : { after }) },
    ]);
    expect(seen.offsets).toEqual(oneTo(150).slice(50));
    expect(seen.line?.start.isResumed).toBe(false);
  });
});

interface Recorder extends Subscriber {
  line: Line | null;
  takes: number;
  batches: number;
  readonly offsets: number[];
  readonly gaps: Gap[];
}

function recorder(
  options: { readonly takes?: number; readonly inAll?: boolean; readonly onBatch?: (batch: Batch) => unknown } = {},
): Recorder {
  const self: Recorder = {
    line: null,
    takes: options.takes ?? Infinity,
    batches: 0,
    offsets: [],
    gaps: [],
    open: (line) => void (self.line = line),
    deliver: (batch) => {
      self.batches += 1;
      options.onBatch?.(batch);
      const taken = batch.events.slice(0, self.takes);
      if (options.inAll === true) self.takes -= taken.length;
      self.offsets.push(...taken.map(({ offset }) => offset));
      return taken.length;
    },
    gap: (gap) => void self.gaps.push(gap),
    close: () => undefined,
  };
  return self;
}

function house(options: { readonly capacity: number }) {
  const turns: (() => void)[] = [];
  const clock = { now: () => 0 };
  const random = { next: () => 0.5 };
  const limit = { maxEvents: options.capacity, maxBytes: 33_554_432 };
  const log = new MemoryLog({ retention: limit, dedupeWindowMs: 1_000, maxDedupeKeys: 100, clock, random });
  const scheduler = { after: () => ({ cancel: () => undefined }), nextTurn: (run: () => void) => void turns.push(run) };
  const pump = new Pump({
    log,
    surroundings: { clock, scheduler, random },
    hotWindow: limit,
    pageCacheBytes: 1_000_000,
    flushMs: 0,
    onGap: () => undefined,
    onFailed: (_cursor, error) => {
      throw error;
    },
    onReadFailed: (_after, error) => {
      throw error;
    },
  });
  const turn = (): void => turns.splice(0).forEach((run) => run());
  const publish = (count: number): void => {
    for (let index = 0; index < count; index += 1) void log.append([draft]);
  };
  return { pump, publish, turn };
}

const draft: EventDraft = {
  type: "model.added",
  subject: undefined,
  json: JSON.stringify({ text: "x".repeat(180) }),
  sizeBytes: 200,
  dedupeKey: undefined,
};

function spec(subscriber: Subscriber, from: StartingPoint) {
  return { subscriber, from, maxReplayEvents: Infinity };
}

/** The epoch of a log is only known once it is there. */
function fix(from: StartingPoint, pump: Pump): StartingPoint {
  if (typeof from === "string" || from.epoch !== "e") return from;
  const cursor = pump.add(spec(recorder(), "latest"), everything);
  const { epoch } = cursor;
  pump.remove(cursor);
  return { epoch, offset: from.offset };
}

function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
