import { plantedBugs, simulate, tellFailure } from "@starcast/testing";
import { describe, expect, it } from "vitest";

/** What has to happen at least in so many worlds. */
const least = {
  published: 50_000,
  refused: 5_000,
  lives: 5_000,
  restarts: 500,
  crashes: 300,
  epochs: 500,
  deliveries: 10_000,
};

describe("1,000 simulated worlds", () => {
  // A guard against worlds that never end, not a bar: a busy machine takes its time.
  it("keep every promise to every subscriber", { timeout: 180_000 }, async () => {
    const totals: Record<string, number> = {};
    for (let seed = 1; seed <= 1_000; seed += 1) {
      const verdict = await simulate({ seed });
      if (verdict.problems.length > 0) throw new Error(tellFailure(verdict));
      for (const [what, count] of Object.entries(verdict.counts)) totals[what] = (totals[what] ?? 0) + count;
    }
    // Worlds in which nothing happens keep every promise, too.
    for (const [what, atLeast] of Object.entries(least)) expect(totals[what], what).toBeGreaterThan(atLeast);
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
