import type { LogEvent } from "../event/log-event.ts";
import type { Position } from "../log/position.ts";
import type { Encoding } from "./encoding.ts";

/** Written pieces hold at most this much, unless one event alone is larger. 32-64 KiB measured 1.5x faster than 256 KiB. */
export const maxPieceBytes: number = 65_536;

/**
 * The same where subscribers catch up. There each may stop at a place of its own, and its socket then holds a piece that nobody
 * else does: a thousand such hold 16 MiB, not 64. Costs a tenth of a long catch-up (measured: 2 MB of 200-byte events).
 */
export const maxPagePieceBytes = 16_384;

/** Bytes of consecutive events, shared by every subscriber that takes them. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** How many of the batch's events it holds, counted from the event it was asked for. */
  readonly count: number;
}

/** A run of scanned positions: `events` are those the filter let through; `through` moves even when none did. */
export interface Batch {
  readonly after: Position;
  readonly through: Position;
  readonly events: readonly LogEvent[];
  /** The same for all batches of filters of equal meaning: their events are parts of one stream. */
  readonly filterKey: string;
  /** All events in this encoding; made once, shared. */
  bytes(encoding: Encoding): Uint8Array;
  /** The shared piece that starts with event number `from`; ends on an event's end, at most `maxPieceBytes` long, or one event. */
  piece(encoding: Encoding, from: number): Piece;
}
