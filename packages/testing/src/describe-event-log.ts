import { describe, expect, it, vi } from "vitest";
import type { EventDraft, EventLog, StoredEvent, Surroundings } from "@starcast/core";
import { describeReopenedLog } from "./describe-reopened-log.ts";
import { describeSharedLog } from "./describe-shared-log.ts";
import { describeWatching } from "./describe-watching.ts";
import { draft, drafts } from "./draft.ts";
import { closesAfterEach, codeOf } from "./engine-rig.ts";
import { fakeSurroundings } from "./fake-surroundings.ts";
import { forEachSeed } from "./seeded-random.ts";

/** What a fresh log of a test is like. */
export interface EventLogRequest {
  readonly retention: { readonly maxEvents: number; readonly maxBytes: number };
  readonly dedupeWindowMs: number;
  readonly surroundings: Surroundings;
}

/** An engine's log, and what it can do. */
export interface EventLogContract {
  /** A fresh, empty log. */
  open(request: EventLogRequest): Promise<EventLog>;
  /** Closes the log and opens the same data again. Required when durable. */
  reopen?: ((log: EventLog) => Promise<EventLog>) | undefined;
  /** Another log on the same data, as another process would open it. Required when shared. */
  join?: ((log: EventLog) => Promise<EventLog>) | undefined;
  /** Ends the log so that the newest acknowledged events are lost, and opens what is left. */
  regress?: ((log: EventLog) => Promise<EventLog>) | undefined;
  /** Brings retention up to date, for engines that trim in the background. */
  trim?: ((log: EventLog) => Promise<void>) | undefined;
  /** Events survive the end of the process. */
  readonly durable: boolean;
  /** Several processes append to one log. */
  readonly shared: boolean;
  /** Dedupe windows end by the engine's own clock, which no test can move. */
  readonly ownClock?: boolean | undefined;
}

/** Opens a log for one test; it is closed when the test ends. */
export type OpenLog = (request?: Partial<EventLogRequest>) => Promise<EventLog>;

/** The promises of the `EventLog` port, as tests: every engine runs them. */
export function describeEventLog(name: string, contract: EventLogContract): void {
  describe(`the event log of ${name}`, () => {
    const keep = closesAfterEach();
    const open: OpenLog = async (request = {}) =>
      keep(await contract.open({ ...plenty, surroundings: fakeSurroundings(), ...request }));

    describeAppending(open);
    describeReading(open);
    describeDeduplication(open, contract);
    describeRetention(open, contract);
    describeClosing(open);
    describeWatching(open, contract);
    if (contract.durable) describeReopenedLog(open, keep, contract);
    if (contract.shared) describeSharedLog(open, keep, contract);

    it("agrees with a model under random appends and reads", () =>
      forEachSeed(20, (_, seed) => agreesWithModel(open, contract, seed)));
  });
}

const plenty = { retention: { maxEvents: 1_000, maxBytes: 1_000_000 }, dedupeWindowMs: 60_000 };
const all = { maxEvents: 10_000, maxBytes: Infinity };

function describeAppending(open: OpenLog): void {
  describe("append", () => {
    it("begins at offset 1 of an epoch that fits into an id", async () => {
      const log = await open();
      expect(log.epoch).toMatch(/^[A-Za-z0-9]{1,40}$/);
      expect([log.head, log.trimmedThrough]).toEqual([0, 0]);
      const [first] = await log.append([draft()]);
      expect(first).toMatchObject({ position: { epoch: log.epoch, offset: 1 }, isDuplicate: false });
      expect(first?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    it("gives dense offsets in order, and has moved the head when it resolves", async () => {
      const log = await open();
      expect(offsets(await log.append(drafts(3)))).toEqual([1, 2, 3]);
      expect(log.head).toBe(3);
      expect(offsets(await log.append(drafts(2)))).toEqual([4, 5]);
      expect(log.head).toBe(5);
    });

    it("does not reorder calls that are not awaited", async () => {
      const log = await open();
      const results = await Promise.all(Array.from({ length: 50 }, (_, index) => log.append([draft({ call: index })])));
      expect(results.flatMap(offsets)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
      const stored = await log.read(0, all);
      expect(stored.map(({ json }) => json)).toEqual(Array.from({ length: 50 }, (_, index) => `{"call":${index}}`));
    });

    it("commits a list as one, if it says so: contiguous, all or nothing", async () => {
      const log = await open();
      if (!log.isAtomic) return;
      const lists = await Promise.all([log.append(drafts(5)), log.append([draft()]), log.append(drafts(7))]);
      for (const list of lists) {
        const first = list[0]?.position.offset ?? 0;
        expect(offsets(list)).toEqual(list.map((_, index) => first + index));
      }
      const small = await open({ retention: { maxEvents: 10, maxBytes: 1_000_000 } });
      const code = await codeOf(small.append(drafts(60)));
      expect(typeof code === "string" || code === null).toBe(true);
      expect(small.head).toBe(code === null ? 60 : 0);
    });

    it("never lets timestamps run backwards", async () => {
      const surroundings = fakeSurroundings();
      const log = await open({ surroundings });
      const first = await log.append(drafts(2));
      await surroundings.advance(1_000);
      const second = await log.append(drafts(2));
      const times = [...first, ...second].map(({ timestamp }) => timestamp);
      expect(times.toSorted()).toEqual(times);
    });
  });
}

function describeReading(open: OpenLog): void {
  describe("read", () => {
    it("gives back exactly what was appended", async () => {
      const log = await open();
      const appended = [...oddDrafts];
      const results = await log.append(appended);
      const stored = await log.read(0, all);
      expect(stored.map(facts)).toEqual(
        appended.map(({ type, subject, json, sizeBytes }, index) => ({
          offset: index + 1,
          type,
          subject,
          json,
          sizeBytes,
          timestamp: results[index]?.timestamp,
        })),
      );
    });

    it("begins after the given offset, ends at the head, and gives nothing behind it", async () => {
      const log = await open();
      await log.append(drafts(10));
      expect((await log.read(7, all)).map(({ offset }) => offset)).toEqual([8, 9, 10]);
      expect(await log.read(10, all)).toEqual([]);
      expect(await log.read(1_000, all)).toEqual([]);
    });

    it("keeps to both limits, but gives at least one event", async () => {
      const log = await open();
      await log.append(drafts(10));
      const [{ sizeBytes } = { sizeBytes: 0 }] = await log.read(0, { maxEvents: 1, maxBytes: Infinity });
      expect((await log.read(2, { maxEvents: 4, maxBytes: Infinity })).map(({ offset }) => offset)).toEqual([
        3, 4, 5, 6,
      ]);
      expect(await log.read(0, { maxEvents: 100, maxBytes: sizeBytes * 3 })).toHaveLength(3);
      expect(await log.read(0, { maxEvents: 100, maxBytes: 1 })).toHaveLength(1);
    });
  });
}

function describeDeduplication(open: OpenLog, { ownClock = false }: EventLogContract): void {
  describe("a dedupe key", () => {
    it("gives the first event's place and time again, and takes no place of its own", async () => {
      const surroundings = fakeSurroundings();
      const log = await open({ surroundings });
      const [first] = await log.append([draft(1, { dedupeKey: "a" })]);
      await surroundings.advance(10);
      const [again] = await log.append([draft(2, { dedupeKey: "a" })]);
      expect(again).toEqual({ ...first, isDuplicate: true });
      expect(offsets(await log.append([draft(3)]))).toEqual([2]);
      expect((await log.read(0, all)).map(({ json }) => json)).toEqual(["1", "3"]);
    });

    it("meets itself within one list, and in calls that are not awaited", async () => {
      const log = await open();
      const [list, other] = await Promise.all([
        log.append([draft(1, { dedupeKey: "a" }), draft(2, { dedupeKey: "a" }), draft(3, { dedupeKey: "b" })]),
        log.append([draft(4, { dedupeKey: "b" })]),
      ]);
      expect(offsets([...list, ...other])).toEqual([1, 1, 2, 2]);
      expect([...list, ...other].map(({ isDuplicate }) => isDuplicate)).toEqual([false, true, false, true]);
      expect(log.head).toBe(2);
    });

    it("is forgotten when its window has passed", async () => {
      const surroundings = fakeSurroundings();
      const log = await open({ surroundings, dedupeWindowMs: 1_000 });
      await log.append([draft(1, { dedupeKey: "a" })]);
      await surroundings.advance(1_001);
      const again = () => log.append([draft(2, { dedupeKey: "a" })]);
      if (ownClock) await vi.waitUntil(async () => (await again())[0]?.isDuplicate === false, { timeout: 10_000 });
      else expect(await again()).toMatchObject([{ position: { offset: 2 }, isDuplicate: false }]);
      expect(log.head).toBe(2);
    });
  });
}

function describeRetention(open: OpenLog, contract: EventLogContract): void {
  describe("retention", () => {
    it.each([
      ["events", { maxEvents: 20, maxBytes: 1_000_000 }],
      ["bytes", { maxEvents: 1_000, maxBytes: 20 * padded(10).sizeBytes }],
    ])("keeps the newest by %s, and says through where it trimmed", async (_, retention) => {
      const log = await open({ retention });
      for (let first = 1; first <= 60; first += 5)
        await log.append([0, 1, 2, 3, 4].map((step) => padded(first + step)));
      await contract.trim?.(log);
      expect(log.head).toBe(60);
      expect(log.trimmedThrough).toBeGreaterThanOrEqual(35);
      expect(log.trimmedThrough).toBeLessThan(60);
      const stored = await log.read(0, all);
      expect(stored[0]?.offset).toBe(log.trimmedThrough + 1);
      expect(stored.map(({ offset }) => offset)).toEqual(
        Array.from({ length: stored.length }, (_each, index) => log.trimmedThrough + 1 + index),
      );
      expect(stored.at(-1)?.offset).toBe(60);
      expect(await log.refresh()).toEqual({ trimmedThrough: log.trimmedThrough, head: 60 });
    });

    it("keeps the newest event, however large, or refuses it", async () => {
      const log = await open({ retention: { maxEvents: 10, maxBytes: 2_000 } });
      await log.append([draft("x".repeat(100))]);
      const code = await codeOf(log.append([draft("x".repeat(3_000))]));
      expect([null, "event_too_large"]).toContain(code);
      await contract.trim?.(log);
      expect((await log.read(log.trimmedThrough, all)).at(-1)?.offset).toBe(code === null ? 2 : 1);
    });
  });
}

function describeClosing(open: OpenLog): void {
  describe("close", () => {
    it("may be called twice, and what comes later is refused as `log_closed`", async () => {
      const log = await open();
      await log.append([draft()]);
      await log.close();
      await log.close();
      expect(await codeOf(log.append([draft()]))).toBe("log_closed");
      expect(await codeOf(log.read(0, all))).toBe("log_closed");
    });
  });
}

async function agreesWithModel(open: OpenLog, { shared }: EventLogContract, seed: number): Promise<void> {
  const surroundings = fakeSurroundings(seed);
  const { random } = surroundings;
  const maxEvents = random.integer(4, 40);
  const log = await open({ surroundings: fakeSurroundings(seed), retention: { maxEvents, maxBytes: 1_000_000 } });
  const model: string[] = [];
  let trimmed = 0;
  for (let step = 0; step < 30; step += 1) {
    const list = drafts(random.integer(1, Math.max(1, Math.floor(maxEvents / 2))), model.length + 1);
    const appended = await log.append(list);
    expect(offsets(appended)).toEqual(list.map((_, index) => model.length + 1 + index));
    model.push(...list.map(({ json }) => json));
    expect(log.head).toBe(model.length);
    // Where others write too, what retention took is known only after asking.
    if (shared) await log.refresh();
    expect(log.trimmedThrough).toBeGreaterThanOrEqual(trimmed);
    trimmed = log.trimmedThrough;
    const after = random.integer(0, model.length);
    const limit = random.integer(1, 10);
    const start = Math.max(after, trimmed);
    expect((await log.read(after, { maxEvents: limit, maxBytes: Infinity })).map(({ json }) => json)).toEqual(
      model.slice(start, start + limit),
    );
  }
}

function padded(number: number): EventDraft {
  return draft({ number, padding: "x".repeat(100) });
}

/** Texts that an engine could be tempted to write in another way. */
const oddDrafts: readonly EventDraft[] = [
  { ...draft(), json: '{ "spaced" : 1.50, "big": 12345678901234567890 }' },
  { ...draft(), json: '"\\u0000 \\ud83d\\ude00 \u2028 é 😀"', subject: "ключ/😀" },
  { ...draft(), json: '{"__proto__":1,"a":null}', subject: "a b" },
  { ...draft("", { subject: "s" }), sizeBytes: 7 },
  draft(null),
  draft("'; drop table events; --", { type: "a.b.c_d-E.9" }),
];

function facts({ offset, type, subject, json, sizeBytes, timestamp }: StoredEvent): StoredEvent {
  return { offset, type, subject, json, sizeBytes, timestamp };
}

export function offsets(appended: readonly { readonly position: { readonly offset: number } }[]): readonly number[] {
  return appended.map(({ position }) => position.offset);
}
