import { describe, expect, it } from "vitest";
import { fakeTime, turns } from "../../test/fake-time.ts";
import { EventRun } from "../encoding/run.ts";
import type { Batch } from "../encoding/batch.ts";
import { LogEvent } from "../event/log-event.ts";
import type { Position } from "../log/position.ts";
import { EachEvent, maxRetryMs } from "./each-event.ts";
import type { Gap, Line } from "./subscriber.ts";

describe("a function whose promise is awaited", () => {
  it("takes nothing more until it is settled, then is acknowledged and ready", async () => {
    const { each, line, settle } = house();
    expect([each.deliver(batch(1, 2, 3)), each.deliver(batch(2, 3))]).toEqual([1, 0]);
    expect(line).toMatchObject({ acknowledged: [], readies: 0 });
    settle();
    await turns(1);
    expect(line).toMatchObject({ acknowledged: [1], readies: 1 });
  });

  it("is not passed over by a gap: that waits for it, and is acknowledged after it", async () => {
    const { each, line, told, settle } = house();
    each.deliver(batch(1));
    each.gap(gapOf(1, 5));
    expect([line.acknowledged, told]).toEqual([[], []]);
    settle();
    await turns(1);
    expect([line.acknowledged, told.length, line.readies]).toEqual([[1, 5], 1, 1]);
  });

  // Retention goes on while a page is read: it takes more behind a gap that waits to be told.
  it("is followed by one gap for all that went missing meanwhile", async () => {
    const { each, line, told, settle } = house();
    each.deliver(batch(1));
    each.gap(gapOf(1, 5));
    each.gap(gapOf(5, 6));
    settle();
    await turns(1);
    expect(told).toEqual([gapOf(1, 6)]);
    expect(line.acknowledged).toEqual([1, 6]);
  });

  it("that rejects under a name is offered again together with the gap behind it", async () => {
    const { each, line, told, time, settle } = house({ isNamed: true });
    each.deliver(batch(4));
    each.gap(gapOf(4, 9));
    settle(new Error("not yet"));
    await turns(1);
    each.gap(gapOf(4, 9));
    await time.advance(1_000);
    expect(line).toMatchObject({ acknowledged: [3], rewinds: 1 });
    expect(told).toEqual([]);
  });

  it("belongs to its own line: settled after another was opened, it does not acknowledge there", async () => {
    const { each, line, settle } = house();
    each.deliver(batch(1));
    const next = new RecordingLine();
    each.open(next);
    settle();
    await turns(1);
    expect([line.acknowledged, next.acknowledged, next.readies]).toEqual([[1], [], 1]);
  });

  it("is finished before close, and acknowledged", async () => {
    const { each, line, closes, settle } = house();
    each.deliver(batch(1));
    const closing = each.close("unsubscribed");
    await turns(1);
    expect(closes()).toBe(0);
    settle();
    await closing;
    expect([line.acknowledged, closes()]).toEqual([[1], 1]);
  });
});

describe("an event that fails", () => {
  it("is passed over without a name, whatever it threw", () => {
    const failures: unknown[] = [];
    // oxlint-disable-next-line unicorn/no-thenable -- a thenable that bites is what is tested
    const hostile = Object.defineProperty({}, "then", {
      get: () => {
        throw new Error("hostile");
      },
    });
    const seen: number[] = [];
    const { each, line } = house({
      send: ({ offset }) => {
        seen.push(offset);
        return offset === 2 ? hostile : undefined;
      },
      onFailed: (error) => failures.push(error),
    });
    expect(each.deliver(batch(1, 2, 3))).toBe(3);
    expect([seen, line.acknowledged, failures.length]).toEqual([[1, 2, 3], [3], 1]);
  });

  it("under a name waits 1, 2, 4 ... seconds, at most maxRetryMs, and holds what comes behind it", async () => {
    const { each, line, time } = house({
      isNamed: true,
      send: ({ offset }) => {
        if (offset === 2) throw new Error("never");
      },
    });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      expect(each.deliver(batch(2, 3))).toBe(0);
      expect(each.deliver(batch(3))).toBe(0);
      const before = time.clock.now();
      while (line.rewinds === attempt) await time.advance(250);
      waits.push(time.clock.now() - before);
    }
    // Chance is fixed at the middle, which is three quarters of the ceiling.
    expect(waits).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(maxRetryMs);
  });

  it("waits a first time again after another has passed", async () => {
    const failing = new Set([1, 2]);
    const { each, line, time } = house({
      isNamed: true,
      send: ({ offset }) => {
        if (failing.delete(offset)) throw new Error("once");
      },
    });
    each.deliver(batch(1, 2));
    await time.advance(750);
    expect(each.deliver(batch(1, 2))).toBe(1);
    await time.advance(750);
    expect([line.rewinds, line.acknowledged]).toEqual([2, [1]]);
  });

  it("leaves no timer behind when it is closed from inside itself", async () => {
    const time = fakeTime();
    const each: EachEvent = new EachEvent({
      send: () => {
        void each.close("unsubscribed");
        throw new Error("bye");
      },
      close: undefined,
      onGap: undefined,
      isNamed: true,
      onFailed: () => undefined,
      ...time,
    });
    each.open(new RecordingLine());
    each.deliver(batch(1, 2));
    await turns(1);
    expect(time.timers).toBe(0);
  });
});

describe("a suspended function", () => {
  it("waits for nothing any more: what fails meanwhile is not tried again, and the next line is taken at once", async () => {
    const { each, line, time, settle } = house({ isNamed: true });
    each.deliver(batch(1));
    each.suspend();
    settle(new Error("too late"));
    await turns(1);
    expect([time.timers, line.readies, line.rewinds]).toEqual([0, 0, 0]);
    each.open(line);
    expect(each.deliver(batch(1))).toBe(1);
  });
});

describe("onGap", () => {
  it("that rejects ends nothing and is told; without a name the gap is done with", async () => {
    const failures: unknown[] = [];
    const { each, line } = house({
      onGap: () => Promise.reject(new Error("no")),
      onFailed: (error) => failures.push(error),
    });
    each.gap(gapOf(0, 3));
    await turns(1);
    expect([failures.length, line.acknowledged, line.readies]).toEqual([1, [3], 1]);
  });

  it.each([
    ["throws", () => explode()],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("that %s under a name does not acknowledge: the gap is told again", async (_name, onGap) => {
    const { each, line, time } = house({ isNamed: true, onGap });
    each.gap(gapOf(0, 3));
    await turns(1);
    expect(each.deliver(batch(4))).toBe(0);
    await time.advance(1_000);
    expect(line).toMatchObject({ acknowledged: [], rewinds: 1 });
  });
});

interface HouseOptions {
  readonly send?: (event: LogEvent) => unknown;
  readonly onGap?: (gap: Gap) => unknown;
  readonly onFailed?: (error: unknown) => void;
  readonly isNamed?: boolean;
}

function house(options: HouseOptions = {}) {
  const time = fakeTime();
  const line = new RecordingLine();
  const told: Gap[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  let closes = 0;
  const each = new EachEvent({
    send: () =>
      new Promise<void>((resolve, reject) =>
        waiting.push((error) => (error === undefined ? resolve() : reject(error))),
      ),
    close: () => void (closes += 1),
    onGap: (gap) => void told.push(gap),
    isNamed: false,
    onFailed: () => undefined,
    ...time,
    ...options,
  });
  each.open(line);
  return { each, line, time, told, closes: () => closes, settle: (error?: Error) => waiting.shift()?.(error) };
}

class RecordingLine implements Line {
  readonly position: Position = { epoch: "e", offset: 0 };
  readonly start: Line["start"] = { position: this.position, isResumed: false };
  readonly lease = null;
  readonly acknowledged: number[] = [];
  readies = 0;
  rewinds = 0;

  ready(): void {
    this.readies += 1;
  }

  acknowledge({ offset }: Position): void {
    this.acknowledged.push(offset);
  }

  rewind(): void {
    this.rewinds += 1;
  }
}

function batch(...offsets: readonly number[]): Batch {
  const events = offsets.map(
    (offset) => new LogEvent("e", offset, "t", { type: "a.b", subject: undefined, json: "1", sizeBytes: 4 }),
  );
  return new EventRun("e", (offsets[0] ?? 1) - 1, offsets.at(-1) ?? 0, events, "**").batchAfter(0);
}

function gapOf(after: number, through: number): Gap {
  return { after: { epoch: "e", offset: after }, through: { epoch: "e", offset: through }, reason: "trimmed" };
}

function explode(): never {
  throw new Error("no");
}
