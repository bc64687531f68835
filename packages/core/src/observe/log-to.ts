import { isStarcastError } from "../errors.ts";
import { checkKeys, integer, oneOf } from "../option-checks.ts";
import type { Moment, MomentLevel, Observer } from "./observer.ts";

/** What `console`, pino, winston and others have in common. A logger with `bindings` is pino, which takes fields. */
export interface Logger {
  debug(...parts: readonly unknown[]): void;
  info(...parts: readonly unknown[]): void;
  warn(...parts: readonly unknown[]): void;
  readonly bindings?: unknown;
}

export interface LogToOptions {
  /** The lowest level that is logged. @default "warn" */
  readonly level?: MomentLevel | undefined;
  /**
   * `lines` says everything in one text, `fields` passes an object and a short message, to be queried later.
   * @default what the logger is made for: `fields` for pino, else `lines`
   */
  readonly format?: "lines" | "fields" | undefined;
  /** Lines of one kind in a minute; what is left out is counted in the next line. @default 10 */
  readonly maxPerMinute?: number | undefined;
  /** The time of day, for tests. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** Writes moments as lines: no payloads, no secrets, no stack traces, and no more than `maxPerMinute` of one kind. */
export function logTo(logger: Logger, options: LogToOptions = {}): Observer {
  checkKeys("LogToOptions", options, ["level", "format", "maxPerMinute", "now"]);
  const level = oneOf("level", options.level, "warn", ["debug", "info", "warn"]);
  const format = oneOf("format", options.format, isPino(logger) ? "fields" : "lines", ["lines", "fields"]);
  const limit = new LineLimit(
    integer("maxPerMinute", options.maxPerMinute, 10, { min: 1, max: Infinity }),
    options.now ?? Date.now,
  );
  const observer = (moment: Moment): void => {
    const left = limit.take(moment.kind);
    if (left === null) return;
    if (format === "fields") logger[moment.level](objectOf(moment, left), `starcast ${moment.kind}`);
    else logger[moment.level](lineOf(moment, left));
  };
  return Object.assign(observer, { level });
}

/** Lines per kind and minute; kinds are a closed set, so nothing grows. */
class LineLimit {
  readonly #max: number;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { since: number; lines: number; left: number }>();

  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
  }

  /** How many lines were left out before this one; null when this one is left out too. */
  take(kind: string): number | null {
    const now = this.#now();
    let known = this.#kinds.get(kind);
    if (known === undefined || now - known.since >= minuteMs) {
      const left = known?.left ?? 0;
      known = { since: now, lines: 1, left: 0 };
      this.#kinds.set(kind, known);
      return left;
    }
    if (known.lines < this.#max) {
      known.lines += 1;
      return 0;
    }
    known.left += 1;
    return null;
  }
}

const minuteMs = 60_000;

/** Longest text of one field; a message of a foreign error may be anything. */
const maxFieldLength = 300;

// Others have `child` too; this one is pino's own.
function isPino({ bindings }: Logger): boolean {
  return typeof bindings === "function";
}

function lineOf(moment: Moment, left: number): string {
  const fields = fieldsOf(moment).map(([name, value]) => ` ${name}=${textOf(value)}`);
  const more = left === 0 ? "" : ` (and ${left} more of this kind since)`;
  return `starcast ${moment.kind}${fields.join("")}${more}`;
}

/** The logger has a level of its own, and says it itself. */
function objectOf(moment: Moment, left: number): Readonly<Record<string, unknown>> {
  const fields = fieldsOf(moment).map(([name, value]) => [name, fieldOf(value)] as const);
  return Object.fromEntries([["kind", moment.kind], ...fields, ...(left === 0 ? [] : [["leftOut", left] as const])]);
}

function fieldOf(value: unknown): unknown {
  if (isStarcastError(value)) return { code: value.code, message: shorten(value.message) };
  if (value instanceof Error) return textOf(value);
  return typeof value === "string" ? shorten(value) : value;
}

function fieldsOf(moment: Moment): [string, unknown][] {
  return Object.entries(moment).filter(([name]) => name !== "kind" && name !== "level");
}

function textOf(value: unknown): string {
  // Foreign errors may carry anything in their message, URLs with credentials among it: their name says enough.
  if (isStarcastError(value)) return shorten(`${value.code} "${value.message}"`);
  if (value instanceof Error)
    return "code" in value && typeof value.code === "string" ? `${value.name} ${value.code}` : value.name;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return shorten(text ?? String(value));
}

// A line break in a value must not begin a line of its own.
function shorten(text: string): string {
  const oneLine = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
  return oneLine.length > maxFieldLength ? `${oneLine.slice(0, maxFieldLength)}…` : oneLine;
}
