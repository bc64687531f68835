import { describe, expect, it } from "vitest";
import type { EventDraft, StoredEvent } from "../event/event.ts";
import { MemoryLog } from "./memory-log.ts";

describe("dedupe keys", () => {
  it("are at most maxDedupeKeys; beyond, overloaded, but a retry of a known one passes", async () => {
    const { log, clock } = house({ maxDedupeKeys: 2 });
    await log.append([draft("one"), draft("two")]);
    await expect(log.append([draft("three")])).rejects.toMatchObject({ code: "overloaded" });
    expect(await log.append([draft("two")])).toMatchObject([{ position: { offset: 2 }, isDuplicate: true }]);
    expect(await log.append([draft("one"), draft("two")])).toMatchObject([
      { isDuplicate: true },
      { isDuplicate: true },
    ]);
    expect(log.head).toBe(2);
    clock.at += 1_000;
    expect(await log.append([draft("one")])).toMatchObject([{ position: { offset: 3 }, isDuplicate: false }]);
  });

  it("meet within one list, which counts them once", async () => {
    const { log } = house({ maxDedupeKeys: 1 });
    const appended = await log.append([draft("one"), draft("one"), draft()]);
    expect(appended.map(({ position, isDuplicate }) => [position.offset, isDuplicate])).toEqual([
      [1, false],
      [1, true],
      [2, false],
    ]);
  });

  it("are remembered longer than the event is retained", async () => {
    const { log } = house({ maxEvents: 2 });
    await log.append([draft("one")]);
    for (let index = 0; index < 5; index += 1) await log.append([draft()]);
    expect([log.trimmedThrough, (await log.append([draft("one")]))[0]]).toMatchObject([
      4,
      { position: { offset: 1 }, isDuplicate: true },
    ]);
  });
});

describe("retention", () => {
  it("keeps the newest by number and by bytes, and always the newest one", async () => {
    const { log } = house({ maxEvents: 10, maxBytes: 1_000 });
    for (let index = 0; index < 15; index += 1) await log.append([draft()]);
    expect([log.trimmedThrough, log.head]).toEqual([5, 15]);
    await log.append([{ ...draft(), sizeBytes: 960 }]);
    expect([log.trimmedThrough, log.head]).toEqual([15, 16]);
    expect((await log.read(3, { maxEvents: 10, maxBytes: 1 })).map(({ offset }) => offset)).toEqual([16]);
  });

  it("refuses a list of more than half of it, and keeps nothing of it", async () => {
    const { log } = house({ maxEvents: 10, maxBytes: 1_000 });
    await expect(log.append(Array.from({ length: 6 }, () => draft()))).rejects.toMatchObject({ code: "overloaded" });
    await expect(
      log.append([
        { ...draft(), sizeBytes: 400 },
        { ...draft(), sizeBytes: 101 },
      ]),
    ).rejects.toMatchObject({
      code: "overloaded",
    });
    expect(log.head).toBe(0);
  });
});

describe("watchers", () => {
  it("all hear everything in order, once, also when one of them appends while it is told", async () => {
    const { log } = house();
    const heard: number[][] = [[], []];
    const late: number[] = [];
    const listen = (to: number[] | undefined) => (events: readonly StoredEvent[]) =>
      void to?.push(...events.map(({ offset }) => offset));
    log.watch(listen(heard[0]));
    log.watch((events) => {
      if (events[0]?.offset === 1) {
        void log.append([draft(), draft()]);
        log.watch(listen(late));
      }
    });
    log.watch(listen(heard[1]));
    await log.append([draft(), draft()]);
    expect([heard, late]).toEqual([
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
      [],
    ]);
  });

  it("hear nothing after they let go, or the log is closed", async () => {
    const { log } = house();
    const heard: number[] = [];
    const stop = log.watch((events) => void heard.push(events.length));
    await log.append([draft()]);
    stop();
    stop();
    await log.append([draft()]);
    await log.close();
    await log.close();
    await expect(log.append([draft()])).rejects.toMatchObject({ code: "log_closed" });
    await expect(log.read(0, { maxEvents: 1, maxBytes: 1 })).rejects.toMatchObject({ code: "log_closed" });
    expect(heard).toEqual([1]);
  });
});

function house(
  options: { readonly maxEvents?: number; readonly maxBytes?: number; readonly maxDedupeKeys?: number } = {},
) {
  const clock = { at: 0, now: () => clock.at };
  const { maxEvents = 1_000, maxBytes = 1_000_000, maxDedupeKeys = 100 } = options;
  const log = new MemoryLog({
    retention: { maxEvents, maxBytes },
    dedupeWindowMs: 1_000,
    maxDedupeKeys,
    clock,
    random: { next: () => 0.5 },
  });
  return { log, clock };
}

function draft(dedupeKey?: string): EventDraft {
  return { type: "a.b", subject: undefined, json: "1", sizeBytes: 50, dedupeKey };
}
