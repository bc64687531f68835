import { diffCatalogs } from "@starcast/catalog";
import { describe, expect, it } from "vitest";
import { CatalogReplay } from "./catalog-replay.ts";
import { LiveSource, burstEvents, burstRounds, maxOwnModels, ownProvider } from "./live-source.ts";
import { readPriceLists } from "./price-lists.ts";

const replay = () => new CatalogReplay(readPriceLists());

describe("a live source", () => {
  it("tells the replay's story when nobody asks for anything", () => {
    const [source, story] = [new LiveSource(replay()), replay()];
    let known: string | null = null;
    for (let call = 0; call < 4; call += 1) {
      const answer = source.answer({ known });
      expect(answer).toEqual(story.answer({ known }));
      known = answer.version;
    }
  });

  it("makes exactly the events of a burst, ends where it began, and goes on", () => {
    const source = new LiveSource(replay());
    const before = source.answer({ known: source.answer({ known: null }).version });
    source.startBurst();
    let [answer, events] = [before, 0];
    for (let round = 0; round < burstRounds; round += 1) {
      // Another process, after a restart, knows the version alone.
      const asked = round === 0 ? source : new LiveSource(replay());
      const next = asked.answer({ known: answer.version });
      const { added, updated, deleted } = diffCatalogs(answer.entries, next.entries);
      expect([added.length, deleted.length]).toEqual([0, 0]);
      events += updated.length;
      answer = next;
    }
    expect(events).toBe(burstEvents);
    expect(answer).toEqual(before);
    expect(source.answer({ known: answer.version }).version).not.toBe(before.version);
  });

  it("has the models of visitors in it, the newest ones", () => {
    const source = new LiveSource(replay());
    for (let index = 0; index <= maxOwnModels; index += 1) source.put({ provider: ownProvider, id: `model-${index}` });
    const own = source.answer({ known: null }).entries.filter(({ provider }) => provider === ownProvider);
    expect(own.map(({ id }) => id)).toEqual(Array.from({ length: maxOwnModels }, (_, index) => `model-${index + 1}`));
  });
});
