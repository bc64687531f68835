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

describe("the replayed catalog", () => {
  it("is real: hundreds of changes between two versions, a handful in a week", () => {
    expect(countsOf(lists.oldest, lists.weekOlder)).toEqual({ added: 609, updated: 279, deleted: 106 });
    expect(countsOf(lists.weekOlder, lists.newest)).toEqual({ added: 13, updated: 5, deleted: 0 });
  });

  it("moves from the oldest list to the newer one, then through the last week and back, for ever", () => {
    const replay = new CatalogReplay(lists);
    expect(replay.next()).toHaveLength(lists.oldest.length);
    let before = replay.next();
    expect(countsOf(lists.weekOlder, before)).toEqual({ added: 0, updated: 0, deleted: 0 });
    const steps = 18 / changesPerStep;
    for (const turn of [lists.newest, lists.weekOlder, lists.newest]) {
      for (let step = 0; step < steps; step += 1) {
        const after = replay.next();
        const { added, updated, deleted } = diffCatalogs(before, after);
        expect(added.length + updated.length + deleted.length).toBe(changesPerStep);
        before = after;
      }
      expect(countsOf(turn, before)).toEqual({ added: 0, updated: 0, deleted: 0 });
    }
  });

  it("starts over when asked to", () => {
    const replay = new CatalogReplay(lists);
    for (let call = 0; call < 5; call += 1) replay.next();
    replay.jumpBack();
    expect(replay.next()).toHaveLength(lists.oldest.length);
    expect(replay.next()).toHaveLength(lists.weekOlder.length);
  });
});
