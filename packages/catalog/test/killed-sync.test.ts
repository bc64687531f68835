import { describe, expect, it } from "vitest";
import { World, model } from "./lives.ts";
import { mortal, sleepy } from "./mortal-store.ts";

const before = [...Array.from({ length: 90 }, (_, index) => model(`p/m${index}`)), model("q/same")];
// Every kind of change, in more than one window of announcements and more than one record.
const after = [
  ...Array.from({ length: 60 }, (_, index) => model(`p/m${index}`, index % 3 === 0 ? 2 : 1)),
  ...Array.from({ length: 50 }, (_, index) => ({ ...model(`r/m${index}`), description: "x".repeat(1_000) })),
  model("q/same"),
];
const expected = { added: 50, updated: 20, deleted: 30, unchanged: 41 };

describe("a sync that is killed at any write", () => {
  for (const moment of ["before", "after"] as const) {
    it(`publishes every change once, in order, after a restart (killed ${moment} the write took effect)`, async () => {
      const whole = await linesOfAWholeLife();
      let kills = 0;
      for (let killAt = 1; ; killAt += 1) {
        const world = await worldWithBaseline();
        const { store } = mortal(world.shared, killAt, moment);
        world.entries = after;
        const outcome = await world
          .start(store)
          .sync.sync()
          .catch(() => "killed");
        if (outcome !== "killed") break;
        kills += 1;
        expect(await world.start().sync.sync(), `killed at write ${killAt}`).toMatchObject({ entries: after.length });
        expect(await world.lines(), `killed at write ${killAt}`).toEqual(whole);
        expect(await world.start().sync.sync()).toEqual({ kind: "unchanged", entries: after.length });
        expect(await world.lines()).toEqual(whole);
        world.entries = after.slice(1);
        await world.start().sync.sync();
        await expectNoLeftovers(world);
      }
      // Announcements, their records, the buckets, the head twice: every one was a kill.
      expect(kills).toBeGreaterThan(100);
    });
  }

  it("and killed again while it makes up for that, still publishes every change once", async () => {
    const whole = await linesOfAWholeLife();
    for (let seed = 1; seed <= 60; seed += 1) {
      const world = await worldWithBaseline();
      world.entries = after;
      let lives = 1;
      for (const killAt of [(seed * 7) % 115, (seed * 13) % 60, (seed * 5) % 20]) {
        const { store } = mortal(world.shared, killAt + 1, seed % 2 === 0 ? "before" : "after");
        await world
          .start(store)
          .sync.sync()
          .then(
            () => undefined,
            () => (lives += 1),
          );
      }
      await world.start().sync.sync();
      expect(await world.lines(), `seed ${seed}, ${lives} lives`).toEqual(whole);
    }
  });

  it("publishes what it had written down before it looks at what the source has by now", async () => {
    const world = await worldWithBaseline();
    world.entries = after;
    await world
      .start(mortal(world.shared, 30).store)
      .sync.sync()
      .catch(() => undefined);
    const half = (await world.lines()).length;
    world.entries = before;
    await world.start().sync.sync();
    const lines = await world.lines();
    const whole = await linesOfAWholeLife();
    expect(half).toBeGreaterThan(1);
    expect(half).toBeLessThan(whole.length);
    expect(lines.slice(0, whole.length)).toEqual(whole);
    expect(lines.slice(whole.length)).toHaveLength(whole.length);
  });

  it("before its baseline was kept takes the next catalog as the baseline", async () => {
    const world = new World();
    world.entries = before;
    await world
      .start(mortal(world.shared, 1).store)
      .sync.sync()
      .catch(() => undefined);
    expect(await world.start().sync.sync()).toEqual({ kind: "baseline", entries: before.length });
    expect(await world.lines()).toEqual([]);
  });

  it("finds what was published even where retention took the beginning of it", async () => {
    const world = await worldWithBaseline({ maxEvents: 80 });
    world.entries = after;
    await world
      .start(mortal(world.shared, 99).store)
      .sync.sync()
      .catch(() => undefined);
    const retained = await world.published();
    expect(retained[0]?.offset).toBeGreaterThan(1);
    await world.start().sync.sync();
    // One started, the changes, one completed: no offset more than a life without a kill takes.
    expect((await world.published()).at(-1)?.offset).toBe((await linesOfAWholeLife()).length);
  });

  // The first is `sync.started`: the others are changes, which must not pass for ones that can never be published.
  it.each([1, 2, 40])("goes on in the same process when write %i fails and the next ones do not", async (failing) => {
    const world = await worldWithBaseline();
    world.entries = after;
    const { sync } = world.start();
    const { append } = world.shared.log;
    let appends = 0;
    // Whoever stands in front of `append` stands in front of the shorter way too.
    Object.defineProperty(world.shared.log, "commit", { value: undefined });
    world.shared.log.append = (drafts) =>
      ++appends === failing ? Promise.reject(new Error("disk full")) : append.call(world.shared.log, drafts);
    await expect(sync.sync()).rejects.toThrow();
    expect(await sync.sync()).toMatchObject({ kind: "published", refused: 0, ...expected });
    expect((await world.lines()).toSorted()).toEqual((await linesOfAWholeLife()).toSorted());
  });
});

describe("a process that overslept its lease while it was publishing", () => {
  it.each([3, 10, 40, 80, 104, 106, 108])(
    "announces nothing twice, and spoils nothing (asleep at write %i)",
    async (sleepAt) => {
      const whole = await linesOfAWholeLife();
      const world = await worldWithBaseline();
      world.entries = after;
      const sleeper = sleepy(world.shared, sleepAt);
      const overslept = world.start(sleeper.store).sync.sync();
      overslept.catch(() => undefined);
      await sleeper.asleep;
      // Long enough for its lease to end: the next process takes over and finishes.
      const { sync } = world.start(mortal(world.shared, Infinity).store);
      expect(await sync.sync()).toMatchObject({ entries: after.length });
      sleeper.wake();
      await overslept.catch(() => undefined);
      expect(await world.lines()).toEqual(whole);
      expect(await world.start().sync.sync()).toEqual({ kind: "unchanged", entries: after.length });
      expect(await world.lines()).toEqual(whole);
    },
  );
});

async function worldWithBaseline(options?: { readonly maxEvents: number }): Promise<World> {
  const world = new World(options);
  world.entries = before;
  await world.start().sync.sync();
  return world;
}

async function linesOfAWholeLife(): Promise<readonly string[]> {
  const world = await worldWithBaseline();
  world.entries = after;
  expect(await world.start().sync.sync()).toMatchObject(expected);
  return world.lines();
}

async function expectNoLeftovers(world: World): Promise<void> {
  const keys = (await world.shared.records.list("catalog/")).map(({ key }) => key);
  expect(keys.filter((key) => !/^catalog\/catalog\/(head|b\d+\/\d+)$/.test(key))).toEqual([]);
}
