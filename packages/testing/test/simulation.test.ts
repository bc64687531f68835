import { plantedBugs, simulate } from "@starcast/testing";
import { describe, expect, it } from "vitest";

describe("300 simulated worlds", () => {
  it("keep every promise to every subscriber", async () => {
    const totals = { published: 0, lives: 0, restarts: 0 };
    for (let seed = 1; seed <= 300; seed += 1) {
      const { problems, counts } = await simulate({ seed });
      if (problems.length > 0)
        throw new Error(`${problems.join("\n")}\nSee what happened: npm run simulate -- --seed ${seed}`);
      totals.published += counts.published;
      totals.lives += counts.lives;
      totals.restarts += counts.restarts;
    }
    // Worlds in which nothing happens keep every promise, too.
    expect(totals.published).toBeGreaterThan(10_000);
    expect(totals.lives).toBeGreaterThan(1_000);
    expect(totals.restarts).toBeGreaterThan(100);
  });

  it("are the same when they are lived again", async () => {
    for (const seed of [3, 33, 333]) expect(await simulate({ seed })).toEqual(await simulate({ seed }));
  });
});

describe("a bug put in on purpose", () => {
  it.each(plantedBugs.map((bug) => [bug.name, bug] as const))("is found: %s", async (_, bug) => {
    const found: string[] = [];
    for (let seed = 1; seed <= 300 && found.length === 0; seed += 1)
      found.push(...(await simulate({ seed, bug })).problems.slice(0, 1));
    expect(found).toHaveLength(1);
  });
});
