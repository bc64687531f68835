import { draft, type FakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import type { SqliteStore } from "../src/index.ts";
import { houseOfFiles, outcomeOf, ownTime, unusableDraft } from "./house.ts";

describe("dedupe keys", () => {
  const house = houseOfFiles();
  const keyed = (dedupeKey: string) => draft(dedupeKey, { dedupeKey });

  it("are at most maxDedupeKeys: one more is overloaded and takes no offset, a known one passes, and time makes room", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const { log } = await open({ surroundings, maxDedupeKeys: 3, dedupeWindowMs: 1_000 });
    for (const key of ["a", "b", "c"]) await log.append([keyed(key)]);
    expect(await outcomeOf(log.append([keyed("d")]))).toBe("overloaded");
    expect(await log.append([keyed("b")])).toMatchObject([{ position: { offset: 2 }, isDuplicate: true }]);
    expect(await log.append([draft("without a key")])).toMatchObject([{ position: { offset: 4 } }]);
    await surroundings.advance(1_000);
    expect(await log.append([keyed("d")])).toMatchObject([{ position: { offset: 5 }, isDuplicate: false }]);
    expect(await log.append([keyed("a")])).toMatchObject([{ position: { offset: 6 }, isDuplicate: false }]);
  });

  it("of works that were undone, and of a list that was refused, are not counted", async () => {
    const { open } = house();
    const { log } = await open({ maxDedupeKeys: 3 });
    for (let round = 0; round < 5; round += 1) {
      const lost = outcomeOf(log.append([keyed(`lost ${round}`), unusableDraft()]));
      await log.append([draft(round)]);
      expect(await lost).toBe("store_failed");
    }
    const many = ["a", "b", "c", "d"].map(keyed);
    expect(await outcomeOf(log.append(many))).toBe("overloaded");
    await log.append(many.slice(1));
    expect(await outcomeOf(log.append([keyed("e")]))).toBe("overloaded");
  });

  it("are counted over lives of the file", async () => {
    const { open } = house();
    const first = await open({ maxDedupeKeys: 2 });
    await first.log.append([keyed("a"), keyed("b")]);
    await first.close();
    const { log } = await open({ maxDedupeKeys: 2 });
    expect(await outcomeOf(log.append([keyed("c")]))).toBe("overloaded");
    expect(await log.append([keyed("a")])).toMatchObject([{ isDuplicate: true }]);
  });
});

describe("names of checkpoints", () => {
  const house = houseOfFiles();

  it("are at most maxCheckpoints: one more is store_full, those there are go on, and a removed one makes room", async () => {
    const { open } = house();
    const { checkpoints } = await open({ maxCheckpoints: 2 });
    const [a] = [await checkpoints.acquire("a", 1_000), await checkpoints.acquire("b", 1_000)];
    expect(await outcomeOf(checkpoints.acquire("c", 1_000))).toBe("store_full");
    if (a !== null) await checkpoints.save(a, { epoch: "e", offset: 1 });
    await checkpoints.remove("b");
    await checkpoints.remove("never there");
    expect(await checkpoints.acquire("c", 1_000)).toMatchObject({ name: "c", position: null });
    expect(await outcomeOf(checkpoints.acquire("d", 1_000))).toBe("store_full");
  });

  it("that were damaged, lost or made up are found when the file is opened", async () => {
    const { open, edit } = house();
    const store = await open();
    for (const name of ["mqtt", "webhooks"]) {
      const lease = await store.checkpoints.acquire(name, 1_000);
      if (lease !== null) await store.checkpoints.save(lease, { epoch: store.log.epoch, offset: 0 });
    }
    await store.close();
    for (const [damage, repair] of [
      [
        "UPDATE checkpoints SET name = 'mqtu' WHERE name = 'mqtt'",
        "UPDATE checkpoints SET name = 'mqtt' WHERE name = 'mqtu'",
      ],
      ["INSERT INTO checkpoints (name, until) VALUES ('another', 0)", "DELETE FROM checkpoints WHERE name = 'another'"],
    ] as const) {
      await edit((driver) => driver.exec(damage));
      expect(await outcomeOf(open())).toBe("store_corrupt");
      await edit((driver) => driver.exec(repair));
    }
    const again = await open();
    expect((await again.checkpoints.list()).map(({ name }) => name)).toEqual(["mqtt", "webhooks"]);
  });

  it("of a file that does not say how many it has are taken as they are, once", async () => {
    const { open, edit } = house();
    const store = await open();
    await store.checkpoints.acquire("mqtt", 1_000);
    await store.close();
    await edit((driver) => driver.exec("DELETE FROM meta WHERE key = 'names'"));
    await (await open()).close();
    await edit((driver) => driver.exec("DELETE FROM checkpoints"));
    expect(await outcomeOf(open())).toBe("store_corrupt");
  });
});

describe("finished deliveries", () => {
  const house = houseOfFiles();
  const attempt = { at: 1, tookMs: 1, category: "ok", status: 200, answer: null };

  /** Puts and finishes so many, each a millisecond after the one before. */
  async function finish(
    { deliveries }: SqliteStore,
    surroundings: FakeSurroundings,
    ids: readonly string[],
    how: "succeed" | "bury",
  ): Promise<void> {
    for (const id of ids) {
      const event = { id, type: "model.added", subject: undefined, timestamp: "t", json: `"${id}"` };
      await deliveries.put([{ endpointId: "ep", event, dueAt: 0, orderKey: undefined }]);
      const [claim] = await deliveries.claimDue({ now: 1, limit: 1, perEndpoint: () => 1, leaseMs: 1_000 });
      if (claim === undefined) throw new Error("Expected a claim, got none");
      await (how === "succeed" ? deliveries.succeed(claim, attempt) : deliveries.bury(claim, attempt, "exhausted"));
      await surroundings.advance(1);
    }
  }

  async function idsOf({ deliveries }: SqliteStore): Promise<readonly string[]> {
    return (await deliveries.list({}, { limit: Infinity })).deliveries.map(({ event }) => event.id);
  }

  it("are at most maxFinished of each end; the oldest and their events go, whatever is unfinished stays", async () => {
    const { open, edit } = house();
    const surroundings = ownTime();
    const store = await open({ surroundings, maxFinished: 2 });
    await finish(store, surroundings, ["d1", "d2"], "bury");
    await finish(store, surroundings, ["s1", "s2", "s3"], "succeed");
    expect(await idsOf(store)).toEqual(["s3", "s2", "d2", "d1"]);
    await finish(store, surroundings, ["d3"], "bury");
    expect(await idsOf(store)).toEqual(["d3", "s3", "s2", "d2"]);
    // Begun again, one is no longer finished: there is room for another.
    expect(await store.deliveries.redeliver({ eventId: "d2" }, 1_000_000_000_000)).toBe(1);
    await finish(store, surroundings, ["d4"], "bury");
    expect(await idsOf(store)).toEqual(["d4", "d3", "s3", "s2", "d2"]);
    await edit((driver) =>
      expect(driver.prepare("SELECT count(*) AS count FROM delivery_events").get()).toMatchObject({ count: 5 }),
    );
  });

  it("count those that overflow, and not those that were forgotten or whose endpoint was removed", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const store = await open({ surroundings, maxFinished: 2, maxPerEndpoint: 1 });
    const { deliveries } = store;
    const drafts = (endpointId: string, ids: readonly string[]) =>
      ids.map((id) => ({
        endpointId,
        event: { id, type: "model.added", subject: undefined, timestamp: "t", json: "1" },
        dueAt: 0,
        orderKey: undefined,
      }));
    expect(await deliveries.put(drafts("other", ["o1", "o2", "o3", "o4"]))).toEqual({ stored: 4, overflowed: 3 });
    expect(await idsOf(store)).toEqual(["o4", "o3", "o1"]);
    await deliveries.removeEndpoint("other");
    await finish(store, surroundings, ["d1", "d2"], "bury");
    expect(await idsOf(store)).toEqual(["d2", "d1"]);
    expect(await deliveries.forget(surroundings.clock.now() - 1, 10)).toBe(1);
    await finish(store, surroundings, ["d3"], "bury");
    expect(await idsOf(store)).toEqual(["d3", "d2"]);
  });

  it("go in steps of pruneRows when the next life keeps fewer", async () => {
    const { open } = house();
    const surroundings = ownTime();
    const first = await open({ surroundings });
    await finish(
      first,
      surroundings,
      Array.from({ length: 12 }, (_, index) => `s${index}`),
      "succeed",
    );
    await first.close();
    const store = await open({ surroundings, maxFinished: 2, pruneRows: 4 });
    const left: number[] = [];
    for (let commit = 0; commit < 4; commit += 1) {
      await store.records.put("any", "commit");
      left.push((await idsOf(store)).length);
    }
    expect(left).toEqual([8, 4, 2, 2]);
    expect(await idsOf(store)).toEqual(["s11", "s10"]);
  });
});
