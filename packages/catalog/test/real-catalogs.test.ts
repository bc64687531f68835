import { existsSync, readFileSync } from "node:fs";
import { diffCatalogs, readStarmapPayload } from "@starcast/catalog";
import type { Model } from "@starcast/catalog";
import { describe, expect, it } from "vitest";

const folder = new URL("../../../../shared/data/", import.meta.url);
const describeWithData = existsSync(folder) ? describe : describe.skip;

describeWithData("the diff of real catalogs (needs ../shared/data beside the checkout)", () => {
  it.each([
    ["2025-10-21", "2026-07-11", { before: 516, after: 611, added: 413, deleted: 318, updated: 167 }],
    ["2026-07-11", "2026-07-30", { before: 611, after: 611, added: 1, deleted: 1, updated: 610 }],
    ["2026-07-30", "2026-08-22", { before: 611, after: 613, added: 2, deleted: 0, updated: 0 }],
  ])("from %s to %s has the known counts", (from, to, expected) => {
    const [before, after] = [readCatalog(from), readCatalog(to)];
    const { added, deleted, updated, unchanged } = diffCatalogs(before, after);
    const counts = { added: added.length, deleted: deleted.length, updated: updated.length };
    expect({ before: before.length, after: after.length, ...counts }).toEqual(expected);
    expect(unchanged).toBe(after.length - counts.added - counts.updated);
    expect(updated.every(({ changes }) => changes.length > 0)).toBe(true);
  });
});

function readCatalog(date: string): readonly Model[] {
  return readStarmapPayload(JSON.parse(readFileSync(new URL(`starmap-catalog-${date}.json`, folder), "utf8")));
}
