import { afterEach, describe, expect, it } from "vitest";
import { CatalogSync, entryKind } from "@starcast/catalog";
import { Broker, StarcastError } from "@starcast/core";
import { World, model } from "./lives.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

describe("the first catalog ever seen", () => {
  it("is the baseline: nothing is published, and only later changes are", async () => {
    const world = new World();
    const { sync } = world.start();
    world.entries = [model("openai/gpt", 2), model("openai/old")];
    expect(await sync.sync()).toEqual({ kind: "baseline", entries: 2 });
    expect(await world.lines()).toEqual([]);

    world.entries = [model("openai/new"), model("openai/gpt", 3)];
    expect(await sync.sync()).toMatchObject({
      kind: "published",
      entries: 2,
      added: 1,
      updated: 1,
      deleted: 1,
      unchanged: 0,
      refused: 0,
    });
    expect(await world.lines()).toEqual([
      "sync.started catalog",
      "model.added openai/new",
      "model.updated openai/gpt",
      "model.deleted openai/old",
      "sync.completed catalog",
    ]);
  });

  it("is published entry by entry when asked for", async () => {
    const world = new World();
    world.entries = [model("b/b"), model("a/a")];
    const { sync } = world.start(world.shared, { firstLoad: "publish" });
    await sync.sync();
    expect(await world.lines()).toEqual([
      "sync.started catalog",
      "model.added a/a",
      "model.added b/b",
      "sync.completed catalog",
    ]);
  });
});

describe("a sync", () => {
  it("says what changed, from what to what", async () => {
    const world = new World();
    const { sync } = world.start();
    world.entries = [model("openai/gpt", 2)];
    await sync.sync();
    world.entries = [model("openai/gpt", 1.5)];
    await sync.sync();
    const [started, updated, completed] = (await world.published()).map(({ json }): unknown => JSON.parse(json));
    expect(started).toEqual({ changes: 1 });
    expect(updated).toEqual({
      model: model("openai/gpt", 1.5),
      previous: model("openai/gpt", 2),
      changes: [{ path: "/pricing/input", from: 2, to: 1.5 }],
    });
    expect(completed).toEqual({ added: 0, updated: 1, deleted: 0, unchanged: 0, durationMs: expect.any(Number) });
  });

  it("publishes nothing when nothing changed", async () => {
    const world = new World();
    const { sync } = world.start();
    world.entries = [model("a/a"), model("b/b")];
    await sync.sync();
    world.entries = world.entries.toReversed();
    expect(await sync.sync()).toEqual({ kind: "unchanged", entries: 2 });
    expect(await world.lines()).toEqual([]);
  });

  it("has the catalog as it was published, which nobody can change", async () => {
    const world = new World();
    const { sync } = world.start();
    const mutable = { ...model("a/a"), tags: ["x"] };
    world.entries = [mutable];
    await sync.sync();
    mutable.tags.push("y");
    expect(sync.snapshot.get("a/a")).toMatchObject({ tags: ["x"] });
    expect(Object.isFrozen(sync.snapshot.get("a/a")?.["tags"])).toBe(true);
    expect(await sync.sync()).toMatchObject({ updated: 1 });
  });

  it("runs once more for all calls made while one is under way", async () => {
    const world = new World();
    let asked = 0;
    const { sync } = world.start(world.shared, {
      source: () => {
        asked += 1;
        return [model("a/a", asked)];
      },
    });
    const reports = await Promise.all([sync.sync(), sync.sync(), sync.sync()]);
    expect(reports.map(({ kind }) => kind)).toEqual(["baseline", "published", "published"]);
    expect(asked).toBe(2);
  });

  it("is one at a time, also for who calls again in the moment in which the first ends", async () => {
    const world = new World();
    let asking = 0;
    let most = 0;
    const { sync } = world.start(world.shared, {
      source: async () => {
        asking += 1;
        most = Math.max(most, asking);
        await new Promise((resolve) => setImmediate(resolve));
        asking -= 1;
        return [model("a/a")];
      },
    });
    const first = sync.sync();
    const second = sync.sync();
    const third = first.then(() => sync.sync());
    const reports = await Promise.all([first, second, third]);
    expect(reports.map(({ kind }) => kind)).toEqual(["baseline", "unchanged", "unchanged"]);
    expect(most).toBe(1);
  });

  it("ends no process when it fails and nobody waits for it", async () => {
    const world = new World();
    const { sync } = world.start(world.shared, { source: () => Promise.reject(new Error("no")) });
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const first = sync.sync();
      void sync.sync();
      await expect(first).rejects.toThrow();
      await expect.poll(() => sync.status, { timeout: 20_000 }).toMatchObject({ failures: 2, state: "waiting" });
      await sync.close();
      void sync.sync();
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unhandled).toEqual([]);
  });

  it("passes the version on to the source, and believes its `unchanged`", async () => {
    const world = new World();
    const asked: (string | null)[] = [];
    const { sync } = world.start(world.shared, {
      source: ({ known }) => {
        asked.push(known);
        return known === "v1" ? { kind: "unchanged" } : { kind: "catalog", entries: [model("a/a")], version: "v1" };
      },
    });
    expect((await sync.sync()).kind).toBe("baseline");
    expect((await sync.sync()).kind).toBe("unchanged");
    expect(
      (
        await world
          .start(world.shared, { name: "catalog", source: ({ known }) => (asked.push(known), { kind: "unchanged" }) })
          .sync.sync()
      ).kind,
    ).toBe("unchanged");
    expect(asked).toEqual([null, "v1", "v1"]);
  });

  it("passes over an entry that cannot be an event, and publishes the others", async () => {
    const world = new World();
    const { sync } = world.start();
    world.entries = [];
    await sync.sync();
    world.entries = [model("a/a"), model(`a/${"x".repeat(2_000)}`), model("b/b")];
    expect(await sync.sync()).toMatchObject({ kind: "published", added: 3, refused: 1 });
    expect(await world.lines()).toEqual([
      "sync.started catalog",
      "model.added a/a",
      "model.added b/b",
      "sync.completed catalog",
    ]);
    expect(world.moments).toContainEqual(expect.objectContaining({ kind: "publishRefused", code: "invalid_subject" }));
    expect((await sync.sync()).kind).toBe("unchanged");
  });

  it("refuses a broker whose vocabulary does not have its events", () => {
    const world = new World();
    const shops = entryKind("shop");
    const { broker } = world.start();
    expect(() => new CatalogSync(broker, { name: "shops", source: () => [{ id: "a" }], kind: shops })).toThrow(
      /`shop.added`/,
    );
  });

  it("takes any object with an id, on a broker without a vocabulary", async () => {
    const broker = new Broker({ observe: [] });
    open.push(broker);
    const types: string[] = [];
    broker.subscribe((event) => void types.push(`${event.type} ${event.subject}`));
    const sync = new CatalogSync(broker, {
      source: () => [{ id: "north", open: true }],
      kind: entryKind("shop"),
      intervalMs: false,
      firstLoad: "publish",
      name: "shops",
    });
    await sync.sync();
    await broker.close();
    expect(types).toEqual(["sync.started shops", "shop.added north", "sync.completed shops"]);
  });
});

describe("a source that fails", () => {
  it.each([
    ["throws", () => Promise.reject(new TypeError("boom")), "source_failed", /an error/],
    ["answers no list", () => "junk" as never, "source_failed", /a list of entries/],
    ["names a model twice", () => [model("a/a"), model("a/a")], "source_failed", /every model once/],
    ["gives what is no model", () => [{ id: 1 } as never], "source_failed", /`provider` of a model/],
    ["gives what JSON cannot say", () => [{ ...model("a/a"), size: 1n }], "source_failed", /JSON can say/],
    ["is suddenly empty", () => [], "source_failed", /allowEmpty/],
    [
      "gives too many entries",
      () => Array.from({ length: 11 }, (_, index) => model(`a/${index}`)),
      "source_failed",
      /at most 10 entries/,
    ],
    [
      "gives too large an entry",
      () => [{ ...model("a/a"), text: "x".repeat(2_000) }],
      "source_failed",
      /maxEntryBytes/,
    ],
    [
      "gives too much",
      () => Array.from({ length: 9 }, (_, index) => ({ ...model(`a/${index}`), text: "x".repeat(900) })),
      "source_failed",
      /maxCatalogBytes/,
    ],
    ["refuses us", () => Promise.reject(new StarcastError("not_authorized", "no")), "not_authorized", /no/],
  ] as const)("%s changes nothing, and the next good answer goes on from there", async (_, failing, code, message) => {
    const world = new World();
    world.entries = [model("a/a"), model("b/b")];
    let answer: (() => unknown) | null = null;
    const { sync } = world.start(world.shared, {
      source: () => (answer?.() ?? world.entries) as never,
      maxEntries: 10,
      maxEntryBytes: 1_000,
      maxCatalogBytes: 5_000,
    });
    await sync.sync();
    answer = failing;
    const error: unknown = await sync.sync().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(sync.status).toMatchObject({
      failures: 1,
      entries: 2,
      state: code === "not_authorized" ? "stopped" : "waiting",
    });
    expect(world.moments.at(-1)?.kind).toBe(code === "not_authorized" ? "catalogSyncStopped" : "catalogSyncFailed");

    answer = null;
    world.entries = [model("a/a", 9)];
    expect(await sync.sync()).toMatchObject({ added: 0, updated: 1, deleted: 1 });
    expect(sync.status.failures).toBe(0);
  });

  it("that never answers is given up in time, and told so by its signal", async () => {
    const world = new World();
    let told: unknown;
    const { sync } = world.start(world.shared, {
      sourceTimeoutMs: 5,
      source: ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => (told = signal.reason));
        }),
    });
    await expect(sync.sync()).rejects.toMatchObject({ code: "timed_out" });
    expect(told).toMatchObject({ code: "timed_out" });
  });

  it("may become empty where that is allowed", async () => {
    const world = new World();
    world.entries = [model("a/a")];
    const { sync } = world.start(world.shared, { allowEmpty: true });
    await sync.sync();
    world.entries = [];
    expect(await sync.sync()).toMatchObject({ deleted: 1 });
  });
});

describe("two processes with one catalog", () => {
  it("publish each change once: while one syncs, the other stands by", async () => {
    const world = new World();
    world.entries = [model("a/a")];
    let answer: (() => void) | undefined;
    const first = world.start(world.shared, {
      source: async () => {
        await new Promise<void>((resolve) => (answer = resolve));
        return world.entries;
      },
    });
    const second = world.start();
    const syncing = first.sync.sync();
    while (answer === undefined) await new Promise(setImmediate);
    expect(await second.sync.sync()).toEqual({ kind: "standby" });
    answer();
    await syncing;

    world.entries = [model("a/a", 2)];
    expect(await second.sync.sync()).toMatchObject({ kind: "published", updated: 1 });
    const again = first.sync.sync();
    await new Promise(setImmediate);
    answer();
    expect(await again).toMatchObject({ kind: "unchanged" });
  });
});

describe("the options of a sync", () => {
  const { broker } = new World().start();
  const source = (): [] => [];
  it.each([
    [{ source: "x" }, /`source` to be a function/],
    [{ source, intervalMs: 9 }, /`intervalMs`/],
    [{ source, intervalMs: NaN }, /`intervalMs`/],
    [{ source, name: "a b" }, /`name`/],
    [{ source, firstLoad: "all" }, /"baseline" or "publish"/],
    [{ source, maxEntries: 0 }, /`maxEntries`/],
    [{ source, interval: 5_000 }, /did you mean `intervalMs`/],
    [{ source, name: "catalog" }, /not taken/],
  ])("refuse %j", (options, message) => {
    expect(() => new CatalogSync(broker, options as never)).toThrow(message);
  });
});
