/** The patterns that can match a type of a vocabulary, so that `"modle.*"` does not compile. */
export type TypePattern<Events> = string extends keyof Events ? string : "**" | PatternOf<keyof Events & string>;

/** The types of a vocabulary that a pattern lets through. */
export type TypesMatching<Events, Pattern extends string> = Extract<keyof Events & string, Glob<Pattern>>;

/** What a type pattern lets through: `*` stands for one segment, `**` at the end for one or more. The pattern is well-formed. */
export function typeMatcher(pattern: string): (type: string) => boolean {
  if (pattern === "**") return () => true;
  if (!pattern.includes("*")) return (type) => type === pattern;
  const wanted = pattern.split(".");
  const hasRest = wanted.at(-1) === "**";
  const fixed = hasRest ? wanted.slice(0, -1) : wanted;
  // Matching walks both lists once.
  return (type) => {
    const segments = type.split(".");
    if (hasRest ? segments.length <= fixed.length : segments.length !== fixed.length) return false;
    return fixed.every((segment, index) => segment === "*" || segment === segments[index]);
  };
}

type PatternOf<Type extends string> = Type extends `${infer Head}.${infer Rest}`
  ? `${Head | "*"}.${PatternOf<Rest>}` | `${Head | "*"}.**`
  : Type | "*";

type Glob<Pattern extends string> = Pattern extends `${infer Head}**`
  ? `${Glob<Head>}${string}`
  : Pattern extends `${infer Head}*${infer Rest}`
    ? `${Head}${string}${Glob<Rest>}`
    : Pattern;
