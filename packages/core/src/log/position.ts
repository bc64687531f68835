import { StarcastError, describe } from "../errors.ts";

/** A place in one log: after the event with this offset. Offset 0 is before the first event. */
export interface Position {
  /** Which numbering of which log; positions of different epochs cannot be compared. */
  readonly epoch: string;
  readonly offset: number;
}

/** `epoch-offset`: what an event's public id is, and what a receiver comes back with. */
export function formatPosition(position: Position): string {
  return `${position.epoch}-${position.offset}`;
}

/** The position a text stands for, or `null` for anything that is not exactly one. Never throws. */
export function parsePosition(text: string): Position | null {
  if (text.length > 64) return null;
  const match = /^([A-Za-z0-9]{1,40})-(0|[1-9][0-9]{0,15})$/.exec(text);
  if (match === null) return null;
  const [, epoch = "", digits = ""] = match;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? { epoch, offset } : null;
}

/** The position a text stands for; throws `invalid_position` when it is none. */
export function requirePosition(text: unknown): Position {
  const position = typeof text === "string" ? parsePosition(text) : null;
  if (position !== null) return position;
  throw new StarcastError("invalid_position", `Expected a position like "k3f9x2a1-1042", got ${describe(text)}`);
}

export function isSamePosition(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.epoch === b.epoch;
}
