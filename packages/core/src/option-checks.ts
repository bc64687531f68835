import { InvalidOptionError } from "./errors.ts";

/** Throws `InvalidOptionError` for what has no options to read. */
export function checkObject(option: string, options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new InvalidOptionError({ option, expected: "an object", received: options });
}

/** The options as they are; throws `InvalidOptionError` for an unknown key, naming the nearest known one. */
export function checkKeys<Options extends object>(option: string, options: Options, known: readonly string[]): Options {
  checkObject(option, options);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = nearestOf(key, known);
    throw new InvalidOptionError({
      option,
      expected:
        nearest === null
          ? `without \`${key.slice(0, 64)}\` (known: ${known.join(", ")})`
          : `without \`${key.slice(0, 64)}\` (did you mean \`${nearest}\`?)`,
      received: options,
    });
  }
  return options;
}

/** A whole number within bounds, or the default when absent. `Infinity` passes where `max` is. */
export function integer(
  option: string,
  value: unknown,
  byDefault: number,
  bounds: { readonly min: number; readonly max: number },
): number {
  if (value === undefined) return byDefault;
  const isNumber = typeof value === "number" && (Number.isSafeInteger(value) || value === Infinity);
  if (isNumber && value >= bounds.min && value <= bounds.max) return value;
  const expected =
    bounds.max === Infinity
      ? `an integer of at least ${bounds.min}, or Infinity`
      : `an integer from ${bounds.min} to ${bounds.max}`;
  throw new InvalidOptionError({ option, expected, received: value });
}

/** One of a few words, or the default when absent. */
export function oneOf<Choice extends string>(
  option: string,
  value: unknown,
  byDefault: Choice,
  choices: readonly Choice[],
): Choice {
  if (value === undefined) return byDefault;
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  throw new InvalidOptionError({ option, expected: choices.map((each) => `"${each}"`).join(" or "), received: value });
}

/** True or false, or the default when absent. */
export function flag(option: string, value: unknown, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (typeof value === "boolean") return value;
  throw new InvalidOptionError({ option, expected: "true or false", received: value });
}

function nearestOf(key: string, known: readonly string[]): string | null {
  const [best] = known
    .map((each) => ({ each, distance: editDistance(key.toLowerCase(), each.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, key.length / 3) ? best.each : null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
