/** One difference inside an entry. `from` is absent where the member is new, `to` where it is gone. */
export interface Change {
  /** JSON Pointer (RFC 6901): `/pricing/tokens/input/per_1m`; empty for the entry itself. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Above so many, the changes of an entry are told per top-level member: an event stays an event. */
export const maxChanges = 200;

/** Whether two JSON values are the same; the order of members says nothing, the order of elements does. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return walk(a, b, { changes: [], limit: 1, depth: Infinity });
}

/**
 * Where two JSON values differ, down to the smallest members, in the order of the paths' first appearance: members of
 * `from` in their order, then new members of `to`. A member that is `undefined` is absent. Pure.
 */
export function findChanges(from: unknown, to: unknown, limit: number = maxChanges): readonly Change[] {
  for (const depth of [Infinity, 1]) {
    const found: Search = { changes: [], limit: limit + 1, depth };
    walk(from, to, found);
    if (found.changes.length <= limit) return found.changes;
  }
  return [{ path: "", from, to }];
}

interface Search {
  readonly changes: Change[];
  /** The search ends when so many are found. */
  readonly limit: number;
  readonly depth: number;
}

interface Pair {
  readonly path: string;
  readonly depth: number;
  readonly from: unknown;
  readonly to: unknown;
}

// Iterative: an entry may be nested as deeply as JSON.parse allows, which is deeper than a recursive walk.
function walk(from: unknown, to: unknown, search: Search): boolean {
  const waiting: Pair[] = [{ path: "", depth: 0, from, to }];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    if (Object.is(pair.from, pair.to) || (pair.from === 0 && pair.to === 0)) continue;
    const inside = pair.depth < search.depth ? membersOf(pair) : null;
    if (inside !== null) {
      // The last pushed is looked at first.
      for (const member of inside.toReversed()) waiting.push(member);
      continue;
    }
    if (pair.depth >= search.depth && isSameJson(pair.from, pair.to)) continue;
    search.changes.push(changeOf(pair));
    if (search.changes.length >= search.limit) return false;
  }
  return search.changes.length === 0;
}

// Null where the two cannot be compared member by member: that is one change.
function membersOf({ path, depth, from, to }: Pair): Pair[] | null {
  if (Array.isArray(from) && Array.isArray(to)) {
    const length = Math.max(from.length, to.length);
    return Array.from({ length }, (_, index) => ({
      path: `${path}/${index}`,
      depth: depth + 1,
      from: from[index],
      to: to[index],
    }));
  }
  if (!isMembered(from) || !isMembered(to)) return null;
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].map((name) => ({
    path: `${path}/${escapeStep(name)}`,
    depth: depth + 1,
    from: own(from, name),
    to: own(to, name),
  }));
}

function changeOf({ path, from, to }: Pair): Change {
  if (from === undefined) return { path, to };
  return to === undefined ? { path, from } : { path, from, to };
}

function isMembered(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// A member called `constructor` must not find Object's.
function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function escapeStep(name: string): string {
  return name.includes("~") || name.includes("/") ? name.replaceAll("~", "~0").replaceAll("/", "~1") : name;
}
