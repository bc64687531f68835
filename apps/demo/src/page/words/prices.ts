import type { Model } from "@starcast/catalog";

/** Dollars per million tokens; null where the catalog does not say. */
export interface Prices {
  readonly input: number | null;
  readonly output: number | null;
}

/** The newest prices of a model; of tiers the base. */
export function pricesOf({ prices }: Model): Prices {
  const newest: unknown = Array.isArray(prices) ? (prices.at(-1) as { readonly prices?: unknown })?.prices : prices;
  return { input: priceIn(newest, "input_mtok"), output: priceIn(newest, "output_mtok") };
}

function priceIn(prices: unknown, name: string): number | null {
  if (typeof prices !== "object" || prices === null) return null;
  const price = (prices as Readonly<Record<string, unknown>>)[name];
  if (typeof price === "number") return price;
  if (typeof price !== "object" || price === null || !("base" in price)) return null;
  return typeof price.base === "number" ? price.base : null;
}
