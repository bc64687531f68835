import type { Model } from "@starcast/catalog";
import type { Mark } from "../feed/catalog-feed.ts";
import { pricesOf } from "./prices.ts";

export type Order = "changed" | "name" | "price";

export interface Row {
  readonly key: string;
  readonly model: Model;
  readonly mark: Mark | null;
}

/** The models that match every word of the search, in this order; ties by key. Pure. */
export function rowsOf(
  models: ReadonlyMap<string, Model>,
  marks: ReadonlyMap<string, Mark>,
  { search, order }: { readonly search: string; readonly order: Order },
): readonly Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  for (const [key, model] of models) {
    const text = `${key} ${String(model.name ?? "")}`.toLowerCase();
    if (words.every((word) => text.includes(word))) rows.push({ key, model, mark: marks.get(key) ?? null });
  }
  return rows.sort((a, b) => compare(a, b, order) || (a.key < b.key ? -1 : 1));
}

function compare(a: Row, b: Row, order: Order): number {
  if (order === "changed") return (b.mark?.at ?? 0) - (a.mark?.at ?? 0);
  if (order === "price") return (pricesOf(b.model).input ?? -1) - (pricesOf(a.model).input ?? -1);
  return 0;
}

/** Which rows of a scrolled list are drawn: those in sight, and some beside them. Pure. */
export function rowsInSight(
  { scrollTop, height, rowHeight }: { readonly scrollTop: number; readonly height: number; readonly rowHeight: number },
  total: number,
): { readonly from: number; readonly to: number } {
  const beside = 4;
  const from = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight), total - 1) - beside);
  return { from, to: Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + beside) };
}
