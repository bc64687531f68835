import type { Filter } from "../pump/filter.ts";

/**
 * The filter of a URL: `?types=model.*,sync.**` or `types` repeated; `subjects` repeated (a subject may hold a comma).
 * Patterns are checked where the filter is compiled. Pure.
 */
export function readAskedFilter(query: URLSearchParams): Filter {
  const types = query
    .getAll("types")
    .flatMap((list) => list.split(","))
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
  const subjects = query.getAll("subjects").filter((pattern) => pattern !== "");
  return { types: types.length === 0 ? undefined : types, subjects: subjects.length === 0 ? undefined : subjects };
}
