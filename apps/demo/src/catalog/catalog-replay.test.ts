import { diffCatalogs } from "@starcast/catalog";
import type { Model } from "@starcast/catalog";
import { describe, expect, it } from "vitest";
import { CatalogReplay, changesPerStep } from "./catalog-replay.ts";
import { readPriceLists } from "./price-lists.ts";

const lists = readPriceLists();
const countsOf = (before: readonly Model[], after: readonly Model[]): object => {
  const { added, updated, deleted } = diffCatalogs(before, after);
  return { added: added.length, updated: updated.length, deleted: deleted.length };
};
const none = { added: 0, updated: 0, deleted: 0 };

/** Asks as a sync does: with the version it got last. */
function follow(replay: CatalogReplay, known: string | null = null): () => readonly Model[] {
  let version = known;
  return () => {
    const answer = replay.answer({ known: version });
    ({ version } = answer);
    return answer.entries;
  };
}

describe("the replayed catalog", () => {
  it("is real: hundreds of changes between two versions, a handful in a week", () => {
    expect(countsOf(lists.oldest, lists.weekOlder)).toEqual({ added: 609, updated: 279, deleted: 106 });
    expect(countsOf(lists.weekOlder, lists.newest)).toEqual({ added: 13, updated: 5, deleted: 0 });
  });

  it("moves from the oldest list to the newer one, but for some prices, then on to the newest and back, for ever", () => {
    const replay = new CatalogReplay(lists);
    const next = follow(replay);
    expect(next()).toHaveLength(lists.oldest.length);
    const newer = next();
    const held = diffCatalogs(newer, lists.weekOlder);
    expect(held.updated.length).toBeGreaterThan(10);
    expect(countsOf(newer, lists.weekOlder)).toEqual({ ...none, updated: held.updated.length });
    let before = newer;
    for (const turn of [lists.newest, newer, lists.newest]) {
      for (let step = 0; step < replay.stepCount; step += 1) {
        const after = next();
        const { added, updated, deleted } = diffCatalogs(before, after);
        const changes = added.length + updated.length + deleted.length;
        expect(changes).toBeGreaterThan(0);
        expect(changes).toBeLessThanOrEqual(changesPerStep);
        before = after;
      }
      expect(countsOf(turn, before)).toEqual(none);
    }
  });

  it("shows an old and a new price in nearly every step", () => {
    const replay = new CatalogReplay(lists);
    const next = follow(replay);
    let before = [...next(), ...next()].slice(lists.oldest.length);
    const withPrices = Array.from({ length: replay.stepCount }, () => {
      const after = next();
      const { updated } = diffCatalogs(before, after);
      before = [...after];
      return updated.some(({ changes }) => changes.some(({ path }) => path.startsWith("/prices/")));
    });
    expect(withPrices.filter(Boolean).length).toBeGreaterThanOrEqual(replay.stepCount - 3);
  });

  it("starts over when asked to", () => {
    const replay = new CatalogReplay(lists);
    const next = follow(replay);
    for (let call = 0; call < 5; call += 1) next();
    replay.jumpBack();
    expect(next()).toHaveLength(lists.oldest.length);
    expect(next()).toHaveLength(lists.weekOlder.length);
  });

  it("goes on from a version of an earlier life", () => {
    const before = new CatalogReplay(lists);
    let version: string | null = null;
    for (let call = 0; call < before.stepCount + 20; call += 1) {
      const answer = before.answer({ known: version });
      expect(new CatalogReplay(lists).answer({ known: version })).toEqual(answer);
      ({ version } = answer);
    }
  });
});
