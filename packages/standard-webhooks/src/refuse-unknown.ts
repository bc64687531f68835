import { invalidOption } from "./errors.ts";

/** A mistyped limit is a hole, so what is not known is refused, with the nearest that is. */
export function refuseUnknown(option: string, given: object, known: readonly string[]): void {
  if (typeof given !== "object" || given === null) throw invalidOption(option, "an object", given);
  const strange = Object.keys(given).find((key) => !known.includes(key));
  if (strange === undefined) return;
  const nearest = known.toSorted((a, b) => distance(a, strange) - distance(b, strange))[0] ?? "";
  throw invalidOption(
    strange.slice(0, 64),
    `left out: there is no such option (\`${nearest}\`?)`,
    Reflect.get(given, strange),
  );
}

/** Levenshtein, over texts of a few dozen characters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = (row[j - 1] ?? 0) + Number(a[i - 1]?.toLowerCase() !== b[j - 1]?.toLowerCase());
      next.push(Math.min(same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
