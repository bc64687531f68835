import { describe, expect, it } from "vitest";
import { seeded } from "../../test/seeded.ts";
import { EventRing } from "./event-ring.ts";

describe("a ring", () => {
  it("holds exactly what a list that drops its oldest would, for any sizes and limits", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seeded(seed);
      const limit = { maxEvents: 2 + random(300), maxBytes: 1 + random(5_000) };
      const first = random(3) === 0 ? 2 ** 33 + random(100) : random(1_000);
      const ring = new EventRing<{ readonly offset: number; readonly sizeBytes: number }>(limit, first);
      let model: { readonly offset: number; readonly sizeBytes: number }[] = [];
      let newest = first;
      for (let step = 0; step < 600; step += 1) {
        if (random(150) === 0) {
          newest += random(50);
          ring.restart(newest);
          model = [];
        }
        newest += 1;
        const item = { offset: newest, sizeBytes: random(200) };
        ring.push(item);
        model.push(item);
        while (model.length > limit.maxEvents || (sum(model) > limit.maxBytes && model.length > 1)) model.shift();
        const dropped = (model[0]?.offset ?? newest + 1) - 1;
        expect([ring.dropped, ring.newest, ring.count, ring.bytes], `seed ${seed}`).toEqual([
          dropped,
          newest,
          model.length,
          sum(model),
        ]);
      }
      const after = ring.dropped - 2 + random(ring.count + 4);
      const through = after + random(ring.count + 4);
      expect(ring.slice(after, through), `seed ${seed}`).toEqual(
        model.filter(({ offset }) => offset > after && offset <= through),
      );
      expect([ring.at(ring.dropped), ring.at(ring.newest + 1)]).toEqual([undefined, undefined]);
    }
  });
});

function sum(items: readonly { readonly sizeBytes: number }[]): number {
  return items.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}
