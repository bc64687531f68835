import { keyOfModel } from "@starcast/catalog";
import type { Model } from "@starcast/catalog";
import type { CatalogReplay, ReplayedCatalog } from "./catalog-replay.ts";

/** Models that visitors of the page may have in the catalog at once; the oldest leaves for the next. */
export const maxOwnModels = 20;

/** A burst is this many syncs of as many price changes each; the last one sets every price back. */
export const burstRounds = 8;
export const burstEvents = 10_000;

/** The provider of what visitors publish. */
export const ownProvider = "your-models";

/**
 * The catalog as told again, with what visitors of the page add to it, and bursts of price changes on demand. All of it is
 * the source's: so it is published like any other change, and a restart in the middle finishes what was begun.
 */
export class LiveSource {
  readonly #replay: CatalogReplay;
  readonly #own = new Map<string, Model>();
  #isBurstWanted = false;
  #burstLeft: number | null = null;

  constructor(replay: CatalogReplay) {
    this.#replay = replay;
  }

  /** Events of a burst that are still to come, by whole rounds; null when there is none. */
  get burstLeft(): number | null {
    return this.#burstLeft === null ? null : (this.#burstLeft * burstEvents) / burstRounds;
  }

  /** The next answers are a burst; asks for them one by one. */
  startBurst(): void {
    this.#isBurstWanted = true;
    this.#burstLeft = burstRounds;
  }

  /** Adds a model to the catalog, or changes it. */
  put(model: Model): void {
    const key = keyOfModel(model);
    this.#own.delete(key);
    this.#own.set(key, model);
    for (const oldest of this.#own.keys()) if (this.#own.size > maxOwnModels) this.#own.delete(oldest);
  }

  /** What comes after a version it gave before. */
  readonly answer = ({ known }: { readonly known: string | null }): ReplayedCatalog => {
    const [base = null, left = "0"] = known?.split(" ~") ?? [];
    const round = this.#isBurstWanted ? burstRounds : Number(left);
    this.#isBurstWanted = false;
    this.#burstLeft = round > 1 ? round - 1 : null;
    if (base === null || round === 0) return this.#with(this.#replay.answer({ known: base }));
    const before = this.#replay.at(base);
    if (round === 1) return this.#with(before);
    // Another price than in the round before, and than in the end.
    const factor = 1 + (round % 2 === 0 ? -0.02 : 0.02) * (round + 1);
    return this.#with({ ...before, version: `${base} ~${round - 1}`, entries: shaken(before.entries, factor) });
  };

  #with(answer: ReplayedCatalog): ReplayedCatalog {
    return { ...answer, entries: [...answer.entries, ...this.#own.values()] };
  }
}

/** The first so many models with a price have another one. */
function shaken(entries: readonly Model[], factor: number): readonly Model[] {
  let left = burstEvents / burstRounds;
  return entries.map((model) => {
    const prices = pricesOf(model);
    if (prices === null || left === 0) return model;
    left -= 1;
    return { ...model, prices: { ...prices, input_mtok: round(prices.input_mtok * factor) } };
  });
}

function pricesOf({ prices }: Model): { readonly input_mtok: number } | null {
  if (typeof prices !== "object" || prices === null || !("input_mtok" in prices)) return null;
  const { input_mtok: input } = prices;
  return typeof input === "number" && input > 0 ? { ...prices, input_mtok: input } : null;
}

function round(price: number): number {
  return Number(price.toPrecision(6));
}
