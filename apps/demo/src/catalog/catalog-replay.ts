import { diffCatalogs, keyOfModel } from "@starcast/catalog";
import type { Change, Model } from "@starcast/catalog";
import type { PriceLists } from "./price-lists.ts";

/** So many models change from one answer to the next once the big change is over. */
export const changesPerStep = 3;

/**
 * The catalog as it moved, told again: first the oldest list, then the newer one (a thousand changes at once), then the
 * changes of its last week a few at a time, forth and back, for as long as anybody asks. Some price changes of the big step
 * are held back to be told among those of the week, which has more new models than new prices.
 */
export class CatalogReplay {
  readonly #oldest: readonly Model[];
  /** The newer list without the steps. */
  readonly #newer: ReadonlyMap<string, Model>;
  readonly #steps: readonly Step[];
  #state: "before" | "oldest" | "newer" = "before";
  /** How many steps are taken. */
  #taken = 0;
  #direction: 1 | -1 = 1;

  constructor({ oldest, weekOlder, newest }: PriceLists) {
    const held = priceChanges(oldest, weekOlder);
    const backwards = held.map(({ previous }): [string, Model] => [keyOfModel(previous), previous]);
    this.#oldest = oldest;
    this.#newer = new Map([...byKey(weekOlder), ...backwards]);
    const prices = held.map(({ entry }): Step => ({ key: keyOfModel(entry), after: entry }));
    this.#steps = interleave(prices, stepsBetween(weekOlder, newest));
  }

  /** How many calls of `next` lead through all steps. */
  get stepCount(): number {
    return Math.ceil(this.#steps.length / changesPerStep);
  }

  /** The next state of the catalog; each call moves it on. */
  next(): readonly Model[] {
    if (this.#state === "before") this.#state = "oldest";
    else if (this.#state === "oldest") this.#state = "newer";
    else this.#moveOn();
    return this.#current();
  }

  /** Goes back to the oldest list: the next two answers are a thousand changes each. */
  jumpBack(): void {
    this.#state = "before";
    this.#taken = 0;
    this.#direction = 1;
  }

  #current(): readonly Model[] {
    if (this.#state !== "newer") return this.#oldest;
    const models = new Map(this.#newer);
    for (const { key, after } of this.#steps.slice(0, this.#taken)) {
      if (after === undefined) models.delete(key);
      else models.set(key, after);
    }
    return [...models.values()];
  }

  #moveOn(): void {
    if (this.#taken === 0) this.#direction = 1;
    if (this.#taken === this.#steps.length) this.#direction = -1;
    const wanted = this.#taken + this.#direction * changesPerStep;
    this.#taken = Math.min(this.#steps.length, Math.max(0, wanted));
  }
}

/** What a step makes of a key: a model, or nothing. */
interface Step {
  readonly key: string;
  readonly after: Model | undefined;
}

function stepsBetween(before: readonly Model[], after: readonly Model[]): readonly Step[] {
  const { added, updated, deleted } = diffCatalogs(before, after);
  const kept = [...updated.map(({ entry }) => entry), ...added];
  const gone = deleted.map((model): Step => ({ key: keyOfModel(model), after: undefined }));
  return [...kept.map((model): Step => ({ key: keyOfModel(model), after: model })), ...gone];
}

// Old price and new price are both known: not a member that the list's schema has learned meanwhile.
function priceChanges(
  before: readonly Model[],
  after: readonly Model[],
): readonly { readonly entry: Model; readonly previous: Model }[] {
  const isPrice = ({ path, from, to }: Change): boolean => {
    return /^\/prices\/(?:input|output)_mtok$/.test(path) && typeof from === "number" && typeof to === "number";
  };
  const isKnown = ({ path, from }: Change): boolean => !path.startsWith("/prices/") || from !== undefined;
  return diffCatalogs(before, after).updated.filter(({ changes }) => changes.some(isPrice) && changes.every(isKnown));
}

function interleave<Item>(a: readonly Item[], b: readonly Item[]): readonly Item[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, index) => [...a.slice(index, index + 1), ...b.slice(index, index + 1)]).flat();
}

function byKey(models: readonly Model[]): readonly [string, Model][] {
  return models.map((model) => [keyOfModel(model), model]);
}
