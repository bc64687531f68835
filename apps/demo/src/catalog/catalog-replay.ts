import { diffCatalogs, keyOfModel } from "@starcast/catalog";
import type { Model } from "@starcast/catalog";
import type { PriceLists } from "./price-lists.ts";

/** So many models of the weekly diff change from one answer to the next. */
export const changesPerStep = 3;

/**
 * The catalog as it moved, told again: first the oldest list, then the newer one (a thousand changes at once), then the
 * changes of its last week a few at a time, forth and back, for as long as anybody asks.
 */
export class CatalogReplay {
  readonly #lists: PriceLists;
  /** Each change of the week as what it makes of a key: a model, or nothing. */
  readonly #week: readonly WeeklyChange[];
  #base: "oldest" | "weekOlder" | null = null;
  #step = 0;
  #direction: 1 | -1 = 1;

  constructor(lists: PriceLists) {
    this.#lists = lists;
    this.#week = weeklyChanges(lists);
  }

  /** The next state of the catalog; each call moves it on. */
  next(): readonly Model[] {
    if (this.#base === null) this.#base = "oldest";
    else if (this.#base === "oldest") this.#base = "weekOlder";
    else this.#moveOn();
    return this.current();
  }

  /** Goes back to the oldest list: the next two answers are a thousand changes each. */
  jumpBack(): void {
    this.#base = null;
    this.#step = 0;
    this.#direction = 1;
  }

  current(): readonly Model[] {
    const models = new Map(this.#lists[this.#base ?? "oldest"].map((model) => [keyOfModel(model), model]));
    for (const { key, after } of this.#week.slice(0, this.#step)) {
      if (after === undefined) models.delete(key);
      else models.set(key, after);
    }
    return [...models.values()];
  }

  #moveOn(): void {
    if (this.#step === 0) this.#direction = 1;
    if (this.#step >= this.#week.length) this.#direction = -1;
    this.#step = Math.min(this.#week.length, Math.max(0, this.#step + this.#direction * changesPerStep));
  }
}

interface WeeklyChange {
  readonly key: string;
  readonly after: Model | undefined;
}

function weeklyChanges({ weekOlder, newest }: PriceLists): readonly WeeklyChange[] {
  const { added, updated, deleted } = diffCatalogs(weekOlder, newest);
  return [
    ...added.map((model) => ({ key: keyOfModel(model), after: model })),
    ...updated.map(({ entry }) => ({ key: keyOfModel(entry), after: entry })),
    ...deleted.map((model) => ({ key: keyOfModel(model), after: undefined })),
  ];
}
