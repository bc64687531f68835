import { draft, drafts } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { rowsWorthACommit } from "../src/group-commit.ts";
import { all, houseOfFiles, noMeta, numbersOf, outcomeOf, ownTime, unusableDraft } from "./house.ts";

describe("writes of one turn", () => {
  const house = houseOfFiles();

  it("leave no hole where one of them was refused", async () => {
    const { open } = house();
    const { log } = await open();
    const [first, refused, third] = await Promise.all([
      outcomeOf(log.append([draft(1)])),
      outcomeOf(log.append([draft(2), unusableDraft()])),
      outcomeOf(log.append([draft(3)])),
    ]);
    expect(first).toMatchObject([{ position: { offset: 1 } }]);
    expect(refused).toBe("store_failed");
    expect(third).toMatchObject([{ position: { offset: 2 } }]);
    expect(log.head).toBe(2);
    expect(numbersOf(await log.read(0, all))).toEqual([1, 3]);
  });

  it("count the bytes of what stayed, not of what was refused", async () => {
    const { open } = house();
    const { log } = await open({ retention: { maxBytes: 20_000 } });
    const large = draft("x".repeat(9_000));
    await log.append([large]);
    for (let count = 0; count < 5; count += 1)
      expect(await outcomeOf(log.append([large, unusableDraft()]))).toBe("store_failed");
    await log.append([draft("small")]);
    await log.trim();
    expect([log.trimmedThrough, log.head]).toEqual([0, 2]);
  });

  it("are told to nobody when their commit fails in the end, and what comes later is told once", async () => {
    const { open, edit } = house();
    const { log } = await open();
    await log.append([draft(1)]);
    const told: unknown[] = [];
    log.watch((events) => told.push(...numbersOf(events)));
    await edit(noMeta);
    const both = [log.append([draft("lost")]), log.append([draft("lost too")])];
    expect(await Promise.all(both.map(outcomeOf))).toEqual(["store_failed", "store_failed"]);
    await edit((driver) => driver.exec("DROP TRIGGER broken"));
    expect(await log.append([draft(2)])).toMatchObject([{ position: { offset: 2 } }]);
    expect(told).toEqual([2]);
    expect(numbersOf(await log.read(0, all))).toEqual([1, 2]);
  });

  it("give the record of a refused one back too", async () => {
    const { open } = house();
    const { records, checkpoints, deliveries } = await open();
    const lease = await checkpoints.acquire("webhooks", 60_000);
    if (lease === null) throw new Error("Expected a lease, got null");
    await checkpoints.release(lease);
    const event = { id: "e-1", type: "a.b", subject: undefined, timestamp: "t", json: "1" };
    const [put, revision] = await Promise.all([
      outcomeOf(
        deliveries.put([{ endpointId: "ep", event, dueAt: 0, orderKey: undefined }], {
          lease,
          position: { epoch: "abc", offset: 9 },
        }),
      ),
      records.put("key", "value"),
    ]);
    expect(put).toBe("lease_lost");
    expect(revision).toBeGreaterThan(0);
    expect(await deliveries.get("ep", "e-1")).toBeNull();
    expect(await checkpoints.load("webhooks")).toBeNull();
  });

  it("reach a watcher only from the moment it began to watch", async () => {
    const { open } = house();
    const { log } = await open();
    const late: number[] = [];
    let from = -1;
    log.watch(() => {
      if (from >= 0) return;
      from = log.head;
      log.watch((events) => late.push(...events.map(({ offset }) => offset)));
    });
    await Promise.all([log.append([draft(1)]), log.append([draft(2)]), log.append([draft(3)])]);
    await log.append([draft(4)]);
    expect(late).toEqual([1, 2, 3, 4].filter((offset) => offset > from));
  });

  it("are all told, in order, when a watcher closes the store", async () => {
    const { open } = house();
    const store = await open();
    const seen: number[] = [];
    let closing: Promise<void> | undefined;
    const late: Promise<unknown>[] = [];
    store.log.watch((events) => {
      seen.push(...events.map(({ offset }) => offset));
      if (closing !== undefined) return;
      late.push(outcomeOf(store.log.append([draft(4)])));
      closing = store.close();
    });
    await Promise.all([1, 2, 3].map((number) => store.log.append([draft(number)])));
    await closing;
    expect(await Promise.all(late)).toMatchObject([[{ position: { offset: 4 } }]]);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("that wait when the store is closed are kept and acknowledged", async () => {
    const { open } = house();
    const store = await open({ commitMs: 1_000 });
    const waiting = [
      store.log.append([draft(1)]),
      store.checkpoints.acquire("name", 1_000),
      store.records.put("k", "v"),
    ];
    await store.close();
    expect(await Promise.all(waiting)).toMatchObject([[{ position: { offset: 1 } }], { name: "name" }, 2]);
    const again = await open();
    expect(numbersOf(await again.log.read(0, all))).toEqual([1]);
  });
});

describe("writes that are gathered", () => {
  const house = houseOfFiles();

  it("wait for their time, unless there are enough of them", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const { log, deliveries } = await open({ surroundings, commitMs: 1_000 });
    const event = { id: "e-1", type: "a.b", subject: undefined, timestamp: "t", json: "1" };
    const few = Promise.all(drafts(rowsWorthACommit - 2).map((each) => log.append([each])));
    const put = deliveries.put([{ endpointId: "ep", event, dueAt: 0, orderKey: undefined }]);
    await surroundings.advance(900);
    expect(log.head).toBe(0);
    // With the last one there are.
    await log.append([draft("last")]);
    await few;
    expect(await put).toMatchObject({ stored: 1 });
    expect(log.head).toBe(rowsWorthACommit - 1);
    // And the next are gathered anew.
    const next = log.append([draft("next")]);
    await surroundings.advance(900);
    expect(log.head).toBe(rowsWorthACommit - 1);
    await surroundings.advance(100);
    expect(await next).toMatchObject([{ position: { offset: rowsWorthACommit } }]);
    await log.append(drafts(rowsWorthACommit));
    expect(surroundings.timerCount).toBe(0);
  });
});

describe("a store that was closed", () => {
  const house = houseOfFiles();

  it("answers every call with a typed error", async () => {
    const { open } = house();
    const store = await open();
    const lease = await store.checkpoints.acquire("name", 1_000);
    if (lease === null) throw new Error("Expected a lease, got null");
    await store.close();
    await store.close();
    const calls = {
      append: store.log.append([draft()]),
      read: store.log.read(0, all),
      acquire: store.checkpoints.acquire("other", 1),
      load: store.checkpoints.load("name"),
      save: store.checkpoints.save(lease, { epoch: "a", offset: 1 }),
      names: store.checkpoints.list(),
      record: store.records.get("key"),
      records: store.records.list(""),
      put: store.records.put("key", "value"),
      delivery: store.deliveries.get("ep", "e"),
      deliveries: store.deliveries.list({}, { limit: 1 }),
      backlog: store.deliveries.backlog("ep"),
      due: store.deliveries.nextDueAt(() => true),
      claim: store.deliveries.claimDue({ now: 0, limit: 1, perEndpoint: () => 1, leaseMs: 1 }),
    };
    const codes = await Promise.all(Object.values(calls).map((call: Promise<unknown>) => outcomeOf(call)));
    expect(Object.fromEntries(Object.keys(calls).map((name, index) => [name, codes[index]]))).toEqual({
      ...Object.fromEntries(Object.keys(calls).map((name) => [name, "store_closed"])),
      append: "log_closed",
      read: "log_closed",
    });
  });
});
