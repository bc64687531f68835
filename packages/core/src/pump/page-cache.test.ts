import { describe, expect, it } from "vitest";
import { maxPagePieceBytes } from "../encoding/batch.ts";
import { LogEvent } from "../event/log-event.ts";
import { everything } from "./filter.ts";
import { Page, pageEvents, pageStart } from "./page.ts";
import { PageCache } from "./page-cache.ts";

describe("the page cache", () => {
  it("forgets the pages used longest ago when it is above its bytes", () => {
    const one = pageOf(0, 1_000);
    const cache = new PageCache(weightOf(one) * 2.5);
    cache.put(0, one);
    cache.put(256, pageOf(256, 1_000));
    expect(cache.get(0)).toBe(one);
    cache.put(512, pageOf(512, 1_000));
    expect([0, 256, 512].map((start) => cache.get(start) !== undefined)).toEqual([true, false, true]);
  });

  it("keeps within its bytes when a page is put again and again, or is larger than all of it", () => {
    const cache = new PageCache(weightOf(pageOf(0, 1_000)) * 2.5);
    for (let round = 0; round < 100; round += 1) cache.put(0, pageOf(0, 1_000));
    cache.put(256, pageOf(256, 1_000));
    expect([cache.get(0), cache.get(256)].every((page) => page !== undefined)).toBe(true);
    cache.put(512, pageOf(512, 100_000));
    expect(cache.get(512)).toBeUndefined();
    cache.put(0, pageOf(0, 1_000));
    expect(cache.get(0)).toBeDefined();
  });

  it("counts the events themselves, however small their data is", () => {
    const cache = new PageCache(100_000);
    for (let start = 0; start < 256 * 100; start += 256) cache.put(start, pageOf(start, pageEvents));
    const kept = Array.from({ length: 100 }, (_, page) => cache.get(page * 256)).filter((page) => page !== undefined);
    expect(kept.length).toBeLessThanOrEqual(2);
  });

  it("weighs a page of the hot window by its pieces alone, until the window drops some of it", () => {
    const cache = new PageCache(weightOf(pageOf(0, 100_000)));
    for (let start = 0; start < 256 * 3; start += 256) cache.put(start, pageOf(start, 100_000), true);
    const kept = (): readonly boolean[] => [0, 256, 512].map((start) => cache.get(start) !== undefined);
    expect(kept()).toEqual([true, true, true]);
    cache.windowDropped(256);
    expect(kept()).toEqual([false, true, true]);
    cache.windowDropped(300);
    expect(kept()).toEqual([false, false, true]);
    cache.put(0, pageOf(0, 100_000));
    expect(kept()).toEqual([true, false, false]);
  });

  it("of no bytes keeps nothing", () => {
    const cache = new PageCache(0);
    cache.put(0, pageOf(0, 1_000));
    expect(cache.get(0)).toBeUndefined();
  });
});

describe("a page", () => {
  it("ends on a multiple of its size", () => {
    expect([0, 1, 255, 256, 257].map(pageStart)).toEqual([0, 0, 0, 256, 256]);
  });

  it("is written in small pieces, since each of those who catch up may stop at one of its own", () => {
    const batch = pageOf(0, 1_000).run(everything).batchAfter(0);
    const kilobyte = { name: "kilobyte", encode: () => new Uint8Array(1_000) };
    expect(batch.piece(kilobyte, 0).count).toBe(Math.floor(maxPagePieceBytes / 1_000));
  });

  it("holds the events after its beginning up to its end, also of a part of it", () => {
    const page = pageOf(256, 1_000);
    expect([255, 256, 511, 512].map((offset) => page.holdsAfter(offset))).toEqual([false, true, true, false]);
    const part = page.upTo(300);
    expect([part.after, part.through, part.holdsAfter(300), page.upTo(512)]).toEqual([256, 300, false, page]);
  });
});

function weightOf(page: Page): number {
  return page.sizeBytes * 3 + pageEvents * 256;
}

function pageOf(start: number, sizeBytes: number): Page {
  const event = { type: "a.b", subject: undefined, json: "1", sizeBytes: sizeBytes / pageEvents };
  const events = Array.from({ length: pageEvents }, (_, index) => new LogEvent("e", start + index + 1, "t", event));
  return new Page("e", start, start + pageEvents, events);
}
