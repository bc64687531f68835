import { draft, drafts } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { all, houseOfFiles, numbersOf, ownTime } from "./house.ts";

describe("retention", () => {
  const house = houseOfFiles();

  it("keeps up when each commit brings more than a pruning step takes", async () => {
    const { open } = house();
    const { log } = await open({ retention: { maxEvents: 50 }, pruneRows: 5 });
    for (let round = 0; round < 20; round += 1) await log.append(drafts(25, round * 25 + 1));
    expect(log.head - log.trimmedThrough).toBeLessThanOrEqual(75);
  });

  it("catches up in steps when it was narrowed, without a publish", async () => {
    const { open } = house();
    const wide = await open();
    await wide.log.append(drafts(300));
    await wide.close();
    const surroundings = ownTime();
    const { log } = await open({ surroundings, retention: { maxEvents: 20 }, pruneRows: 50 });
    const steps: number[] = [];
    for (let last = -1; log.trimmedThrough > last; await surroundings.advance(1_000)) {
      last = log.trimmedThrough;
      steps.push(last);
    }
    expect(log.trimmedThrough).toBe(280);
    expect(Math.max(...steps.map((at, index) => at - (steps[index - 1] ?? 0)))).toBeLessThanOrEqual(1_000);
    expect(numbersOf(await log.read(0, all))).toHaveLength(20);
  });

  it("lets old events go by age when nothing is published any more, all but the newest", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const { log } = await open({ surroundings, retention: { maxAgeMs: 60_000 } });
    await log.append(drafts(3));
    await surroundings.advance(30_000);
    await log.append(drafts(3, 4));
    await surroundings.advance(29_000);
    expect(log.trimmedThrough).toBe(0);
    await surroundings.advance(2_000);
    await surroundings.runUntilIdle();
    expect(log.trimmedThrough).toBe(3);
    await surroundings.advance(120_000);
    await surroundings.runUntilIdle();
    expect(log.trimmedThrough).toBe(5);
  });

  it("never takes an event in the commit that brings it", async () => {
    const { open } = house();
    const { log } = await open({ retention: { maxEvents: 10 } });
    const trimmedWhenTold: number[] = [];
    log.watch((events) => trimmedWhenTold.push(log.trimmedThrough - (events[0]?.offset ?? 0)));
    await Promise.all(Array.from({ length: 40 }, (_, index) => log.append([draft(index)])));
    expect(Math.max(...trimmedWhenTold)).toBeLessThan(0);
  });

  it("leaves no timer behind when the store cannot be opened after all", async () => {
    const { open, edit } = house();
    const store = await open();
    await store.log.append(drafts(30));
    await store.close();
    await edit((driver) => driver.exec("UPDATE meta SET value = '9 9' WHERE key = 'names'"));
    const surroundings = ownTime();
    await expect(open({ surroundings, retention: { maxEvents: 10 } })).rejects.toMatchObject({ code: "store_corrupt" });
    expect(surroundings.timerCount).toBe(0);
  });

  it("leaves no timer behind when the store is closed", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const store = await open({ surroundings, retention: { maxAgeMs: 60_000 } });
    await store.log.append([draft(), draft()]);
    await store.close();
    expect(surroundings.timerCount).toBe(0);
  });
});

describe("times", () => {
  const house = houseOfFiles();

  it("never run backwards in one log, even if the clock was set back between two lives", async () => {
    const { open } = house();
    const first = await open({ surroundings: ownTime(Date.UTC(2026, 5, 1)) });
    const [before] = await first.log.append([draft()]);
    await first.close();
    const second = await open({ surroundings: ownTime(Date.UTC(2026, 0, 1)) });
    const [after] = await second.log.append([draft()]);
    expect([before?.timestamp, after?.timestamp].toSorted()).toEqual([before?.timestamp, after?.timestamp]);
  });
});

describe("dedupe keys", () => {
  const house = houseOfFiles();

  it.each([
    ["behind a NUL", "a\0b", "a\0c"],
    ["in halves of characters", "x\ud800", "x\ud801"],
  ])("that differ only %s are two keys", async (_, one, other) => {
    const { open } = house();
    const { log } = await open();
    await log.append([draft(1, { dedupeKey: one })]);
    expect(await log.append([draft(2, { dedupeKey: other })])).toMatchObject([{ isDuplicate: false }]);
    expect(await log.append([draft(3, { dedupeKey: one })])).toMatchObject([
      { isDuplicate: true, position: { offset: 1 } },
    ]);
  });

  it("are remembered over a restart, for their time", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const first = await open({ surroundings });
    await first.log.append([draft(1, { dedupeKey: "a" })]);
    await first.close();
    const { log } = await open({ surroundings });
    expect(await log.append([draft(2, { dedupeKey: "a" })])).toMatchObject([
      { isDuplicate: true, position: { epoch: log.epoch, offset: 1 } },
    ]);
    await surroundings.advance(300_001);
    expect(await log.append([draft(3, { dedupeKey: "a" })])).toMatchObject([{ position: { offset: 2 } }]);
  });
});

describe("numbers that SQLite has no column for", () => {
  const house = houseOfFiles();

  it("are rounded up to milliseconds, and Infinity is no limit", async () => {
    const { open } = house();
    const { deliveries, checkpoints } = await open();
    const event = { id: "e-1", type: "a.b", subject: undefined, timestamp: "t", json: "1" };
    await deliveries.put([{ endpointId: "ep", event, dueAt: 10.25, orderKey: undefined }]);
    const request = { limit: Infinity, perEndpoint: () => Infinity, leaseMs: 0.5 };
    expect(await deliveries.claimDue({ ...request, now: 10.5 })).toEqual([]);
    const [claim] = await deliveries.claimDue({ ...request, now: 11 });
    if (claim === undefined) throw new Error("Expected a claim, got none");
    const attempt = { at: 11, tookMs: 1, category: "timed_out", status: null, answer: null };
    await deliveries.retryAt(claim, attempt, 20.75);
    expect(await deliveries.nextDueAt(() => true)).toBe(21);
    expect((await deliveries.list({ since: -Infinity, until: Infinity }, { limit: Infinity })).deliveries).toHaveLength(
      1,
    );
    expect(await deliveries.forget(Infinity, Infinity)).toBe(0);
    const lease = await checkpoints.acquire("name", 0.5);
    expect(lease?.name).toBe("name");
  });
});

describe("events larger than usual", () => {
  const house = houseOfFiles();

  // 128 events of 10 MB are more than SQLite takes as one value: such a log could not be read at all.
  it("are read few at a time, over restarts too, and all of them", async () => {
    const { open } = house();
    const first = await open();
    const json = JSON.stringify("x".repeat(20_000_000));
    await first.log.append(drafts(3));
    expect(first.log.eventsPerLook).toBe(128);
    await first.log.append([{ ...draft(4), json, sizeBytes: json.length }]);
    await first.log.append(drafts(3, 5));
    await first.close();
    const { log } = await open({ retention: { maxEvents: 5 } });
    expect(log.eventsPerLook).toBe(1);
    await log.trim();
    expect(numbersOf(await log.read(0, { maxEvents: 2, maxBytes: 1 }))).toHaveLength(1);
    expect((await log.read(0, all)).map(({ offset }) => offset)).toEqual([3, 4, 5, 6, 7]);
  });
});
