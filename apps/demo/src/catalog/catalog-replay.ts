import { diffCatalogs, keyOfModel } from "@starcast/catalog";
import type { Change, Model } from "@starcast/catalog";
import type { PriceLists } from "./price-lists.ts";

/** So many models change from one answer to the next once the big change is over. */
export const changesPerStep = 3;

/** A state of the catalog, under the name that leads on from it. */
export interface ReplayedCatalog {
  readonly kind: "catalog";
  readonly version: string;
  readonly entries: readonly Model[];
}

/**
 * The catalog as it moved, told again: first the oldest list, then the newer one (a thousand changes at once), then the
 * changes of its last week a few at a time, forth and back, for as long as anybody asks. Some price changes of the big step
 * are held back to be told among those of the week, which has more new models than new prices.
 *
 * Where the story is, is in the version that the asking side knows; so it goes on after a restart wherever that is kept.
 */
export class CatalogReplay {
  readonly #oldest: readonly Model[];
  /** The newer list without the steps. */
  readonly #newer: ReadonlyMap<string, Model>;
  readonly #steps: readonly Step[];
  #isToStartOver = false;

  constructor({ oldest, weekOlder, newest }: PriceLists) {
    const held = priceChanges(oldest, weekOlder);
    const backwards = held.map(({ previous }): [string, Model] => [keyOfModel(previous), previous]);
    this.#oldest = oldest;
    this.#newer = new Map([...byKey(weekOlder), ...backwards]);
    const prices = held.map(({ entry }): Step => ({ key: keyOfModel(entry), after: entry }));
    this.#steps = interleave(prices, stepsBetween(weekOlder, newest));
  }

  /** How many calls of `answer` lead through all steps. */
  get stepCount(): number {
    return Math.ceil(this.#steps.length / changesPerStep);
  }

  /** What comes after a version it gave before; first of all, after null. */
  readonly answer = ({ known }: { readonly known: string | null }): ReplayedCatalog => {
    const place = placeAfter(this.#isToStartOver ? null : known, this.#steps.length);
    this.#isToStartOver = false;
    return this.#catalogAt(place);
  };

  /** The catalog of a version it gave. */
  at(version: string): ReplayedCatalog {
    return this.#catalogAt(placeOf(version) ?? { kind: "oldest" });
  }

  /** The next answer is the oldest list, whatever is known: that one and the next are a thousand changes each. */
  jumpBack(): void {
    this.#isToStartOver = true;
  }

  #catalogAt(place: Place): ReplayedCatalog {
    return { kind: "catalog", version: versionOf(place), entries: this.#entriesAt(place) };
  }

  #entriesAt(place: Place): readonly Model[] {
    if (place.kind === "oldest") return this.#oldest;
    const models = new Map(this.#newer);
    for (const { key, after } of this.#steps.slice(0, place.taken)) {
      if (after === undefined) models.delete(key);
      else models.set(key, after);
    }
    return [...models.values()];
  }
}

/** Where the story is: at the oldest list, or so many steps past the newer one, on the way forth or back. */
type Place =
  | { readonly kind: "oldest" }
  | { readonly kind: "newer"; readonly taken: number; readonly direction: "forth" | "back" };

function placeAfter(known: string | null, steps: number): Place {
  if (known === null) return { kind: "oldest" };
  const place = placeOf(known);
  if (place?.kind !== "newer") return { kind: "newer", taken: 0, direction: "forth" };
  const { taken, direction } = place;
  const isForth = taken <= 0 || (direction === "forth" && taken < steps);
  return isForth
    ? { kind: "newer", taken: Math.min(steps, taken + changesPerStep), direction: "forth" }
    : { kind: "newer", taken: Math.max(0, taken - changesPerStep), direction: "back" };
}

/** Null for a version that is of another story, or of the beginning of this one. */
function placeOf(version: string): Place | null {
  const match = /^newer \+(\d+) (forth|back)$/.exec(version);
  if (match === null) return null;
  return { kind: "newer", taken: Number(match[1]), direction: match[2] === "back" ? "back" : "forth" };
}

function versionOf(place: Place): string {
  return place.kind === "oldest" ? "oldest" : `newer +${place.taken} ${place.direction}`;
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
