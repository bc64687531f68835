import type { Model } from "@starcast/catalog";
import { ownProvider } from "../catalog/live-source.ts";
import type { OrderInput } from "./controls.ts";
import { OrderError } from "./order-error.ts";

/** Characters of a name. */
export const maxNameLength = 80;

/** Dollars per million tokens. */
export const maxPrice = 10_000;

/** The model that a visitor of the page wants in the catalog; any text is a name, its key is made of what is left of it. */
export function readOwnModel({ name, price }: OrderInput): Model {
  if (typeof name !== "string" || name.trim() === "" || name.length > maxNameLength)
    throw new OrderError("invalid_input", `Expected a name of 1 to ${maxNameLength} characters`);
  if (typeof price !== "number" || !(price >= 0 && price <= maxPrice))
    throw new OrderError("invalid_input", `Expected a price from 0 to ${maxPrice}`);
  const key = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return { provider: ownProvider, id: key === "" ? "unnamed" : key, name: name.trim(), prices: { input_mtok: price } };
}
