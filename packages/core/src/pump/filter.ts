import { StarcastError, describe } from "../errors.ts";
import { typeMatcher } from "../wire/type-pattern.ts";

/** Which events a subscriber gets. Nothing given lets everything through. */
export interface Filter {
  /** Patterns: segments, `*` for one segment, `**` for the rest. @default everything */
  readonly types?: readonly string[] | undefined;
  /** Exact subjects, or a prefix ending in `*`. With subjects, events without a subject do not match. @default everything */
  readonly subjects?: readonly string[] | undefined;
}

/** Patterns in one filter; a client may send them, so their number is bounded. */
export const maxFilterPatterns = 64;

/** Longest type or subject pattern, in characters. */
export const maxPatternLength = 1_024;

/** What a filter asks of an event. */
export interface Matchable {
  readonly type: string;
  readonly subject: string | undefined;
}

/** A filter ready to be applied. Filters of equal meaning have equal keys, and share batches. */
export interface CompiledFilter {
  readonly key: string;
  /** It lets no event of another subject through; null where it cannot say which. */
  readonly subjects: readonly string[] | null;
  matches(event: Matchable): boolean;
}

/** Lets everything through. */
export const everything: CompiledFilter = Object.freeze({ key: "**", subjects: null, matches: () => true });

/** Compiles filters of which every one must let an event through. Throws `invalid_filter` with the pattern at fault. */
export function compileFilter(...filters: readonly (Filter | undefined)[]): CompiledFilter {
  const types: (readonly string[])[] = [];
  const subjects: (readonly string[])[] = [];
  for (const filter of filters) {
    collect(types, filter?.types, "types", checkTypePattern, "**");
    collect(subjects, filter?.subjects, "subjects", checkSubjectPattern, undefined);
  }
  if (types.length === 0 && subjects.length === 0) return everything;
  return new PatternFilter(canonical(types), canonical(subjects));
}

class PatternFilter implements CompiledFilter {
  readonly key: string;
  readonly subjects: readonly string[] | null;
  readonly #types: readonly ((type: string) => boolean)[];
  readonly #subjects: readonly ((subject: string) => boolean)[];
  // Types are few and repeat; a look-up is 10x cheaper than matching. Bounded, as types may be made up.
  readonly #known = new Map<string, boolean>();

  constructor(types: readonly (readonly string[])[], subjects: readonly (readonly string[])[]) {
    this.key = JSON.stringify([types, subjects]);
    this.subjects = subjects.find((patterns) => patterns.every((pattern) => !isPrefix(pattern))) ?? null;
    this.#types = types.map((patterns) => anyOf(patterns.map(typeMatcher)));
    this.#subjects = subjects.map((patterns) => anyOf(patterns.map(subjectMatcher)));
  }

  matches(event: Matchable): boolean {
    return this.#matchesType(event.type) && this.#matchesSubject(event.subject);
  }

  #matchesType(type: string): boolean {
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    const isMatch = this.#types.every((matches) => matches(type));
    if (this.#known.size >= maxKnownTypes) this.#known.clear();
    this.#known.set(type, isMatch);
    return isMatch;
  }

  #matchesSubject(subject: string | undefined): boolean {
    if (this.#subjects.length === 0) return true;
    return subject !== undefined && this.#subjects.every((matches) => matches(subject));
  }
}

const maxKnownTypes = 1_000;

function collect(
  into: (readonly string[])[],
  patterns: readonly string[] | undefined,
  option: string,
  check: (pattern: unknown) => void,
  all: string | undefined,
): void {
  if (patterns === undefined) return;
  if (!Array.isArray(patterns) || patterns.length > maxFilterPatterns) {
    throw new StarcastError(
      "invalid_filter",
      `Expected \`${option}\` to be a list of at most ${maxFilterPatterns} patterns, got ${describe(patterns)}`,
    );
  }
  patterns.forEach(check);
  if (all === undefined || !patterns.includes(all)) into.push([...new Set(patterns)].toSorted());
}

// Alternatives are already sorted; so the conditions are, and those that repeat say nothing new.
function canonical(conditions: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const byKey = new Map(conditions.map((patterns) => [JSON.stringify(patterns), patterns]));
  return [...byKey.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, patterns]) => patterns);
}

function anyOf<Value>(matchers: readonly ((value: Value) => boolean)[]): (value: Value) => boolean {
  return (value) => matchers.some((matches) => matches(value));
}

const typePattern = /^(?:[A-Za-z0-9_-]+|\*)(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.\*\*)?$/;

function checkTypePattern(pattern: unknown): void {
  if (pattern === "**") return;
  if (
    typeof pattern === "string" &&
    pattern.length <= maxPatternLength &&
    pattern.includes(".") &&
    typePattern.test(pattern)
  )
    return;
  throw new StarcastError(
    "invalid_filter",
    `Expected a type pattern like "model.added", "model.*" (one segment), "model.**" (the rest) or "**" (everything), got ${describe(pattern)}`,
  );
}

function checkSubjectPattern(pattern: unknown): void {
  if (
    typeof pattern === "string" &&
    pattern.length > 0 &&
    pattern.length <= maxPatternLength &&
    !pattern.slice(0, -1).includes("*")
  )
    return;
  throw new StarcastError(
    "invalid_filter",
    `Expected a subject, or a prefix that ends in \`*\`, of at most ${maxPatternLength} characters, got ${describe(pattern)}`,
  );
}

function subjectMatcher(pattern: string): (subject: string) => boolean {
  if (!isPrefix(pattern)) return (subject) => subject === pattern;
  const prefix = pattern.slice(0, -1);
  return (subject) => subject.startsWith(prefix);
}

function isPrefix(subjectPattern: string): boolean {
  return subjectPattern.endsWith("*");
}
