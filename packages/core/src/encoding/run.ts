import type { LogEvent } from "../event/log-event.ts";
import type { Position } from "../log/position.ts";
import { maxPieceBytes, type Batch, type Piece } from "./batch.ts";
import type { Encoding } from "./encoding.ts";

/**
 * Consecutive positions of one filter, with the bytes of their events. Its pieces lie on one grid per encoding, so that
 * subscribers which start anywhere within the run share the same memory: who starts inside a piece gets the end of it.
 */
export class EventRun {
  readonly epoch: string;
  readonly after: number;
  readonly through: number;
  readonly events: readonly LogEvent[];
  readonly filterKey: string;
  readonly #grids = new Map<Encoding, Grid>();
  readonly #pieceBytes: number;

  /** `pieceBytes`: how long its pieces may be, unless one event alone is longer. */
  constructor(
    epoch: string,
    after: number,
    through: number,
    events: readonly LogEvent[],
    filterKey: string,
    pieceBytes: number = maxPieceBytes,
  ) {
    this.epoch = epoch;
    this.after = after;
    this.through = through;
    this.events = events;
    this.filterKey = filterKey;
    this.#pieceBytes = pieceBytes;
  }

  /** The part of the run after this offset. */
  batchAfter(after: number): Batch {
    return new RunBatch(
      this,
      Math.max(after, this.after),
      after <= this.after ? 0 : firstIndexAfter(this.events, after),
    );
  }

  piece(encoding: Encoding, from: number): Piece {
    let grid = this.#grids.get(encoding);
    if (grid === undefined) {
      grid = new Grid(this.events, encoding, this.#pieceBytes);
      this.#grids.set(encoding, grid);
    }
    return grid.from(from);
  }
}

/** Number of the first event after an offset; the length when there is none. */
export function firstIndexAfter(events: readonly { readonly offset: number }[], offset: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.offset ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

class RunBatch implements Batch {
  readonly #run: EventRun;
  readonly #after: number;
  readonly #first: number;
  #events: readonly LogEvent[] | undefined;
  #through: Position | undefined;
  #lastEncoding: Encoding | undefined;
  #lastFrom = -1;
  #lastPiece: Piece | undefined;

  constructor(run: EventRun, after: number, first: number) {
    this.#run = run;
    this.#after = after;
    this.#first = first;
  }

  get after(): Position {
    return { epoch: this.#run.epoch, offset: this.#after };
  }

  // One batch is offered to all that are live: what they all ask for is made once.
  get through(): Position {
    this.#through ??= { epoch: this.#run.epoch, offset: this.#run.through };
    return this.#through;
  }

  get filterKey(): string {
    return this.#run.filterKey;
  }

  get events(): readonly LogEvent[] {
    this.#events ??= this.#first === 0 ? this.#run.events : this.#run.events.slice(this.#first);
    return this.#events;
  }

  // All that are live ask for the same, one right after the other.
  piece(encoding: Encoding, from: number): Piece {
    const last = this.#lastPiece;
    if (last !== undefined && this.#lastFrom === from && this.#lastEncoding === encoding) return last;
    const piece = this.#run.piece(encoding, this.#first + from);
    this.#lastEncoding = encoding;
    this.#lastFrom = from;
    this.#lastPiece = piece;
    return piece;
  }

  bytes(encoding: Encoding): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let index = 0; index < this.events.length;) {
      const piece = this.piece(encoding, index);
      pieces.push(piece.bytes);
      index += piece.count;
    }
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : concatenate(pieces);
  }
}

/** The pieces of a run in one encoding, each made when first needed. */
class Grid {
  readonly #events: readonly LogEvent[];
  readonly #encoding: Encoding;
  readonly #pieceBytes: number;
  /** First event of each piece known so far; pieces are cut in order, greedily. */
  readonly #cuts: number[] = [0];
  readonly #pieces: (SharedPiece | undefined)[] = [];

  constructor(events: readonly LogEvent[], encoding: Encoding, pieceBytes: number) {
    this.#events = events;
    this.#encoding = encoding;
    this.#pieceBytes = pieceBytes;
  }

  from(index: number): Piece {
    let number = this.#cuts.length - 1;
    while ((this.#cuts[number] ?? 0) > index) number -= 1;
    for (;;) {
      const first = this.#cuts[number] ?? 0;
      const end = this.#cuts[number + 1] ?? this.#cut(first);
      if (index < end || end >= this.#events.length) break;
      number += 1;
    }
    const piece = (this.#pieces[number] ??= this.#make(
      this.#cuts[number] ?? 0,
      this.#cuts[number + 1] ?? this.#events.length,
    ));
    return piece.from(index);
  }

  /** Where the piece starting at `first` ends; remembered. */
  #cut(first: number): number {
    let bytes = 0;
    let end = first;
    for (; end < this.#events.length; end += 1) {
      bytes += this.#events[end]?.bytes(this.#encoding).length ?? 0;
      if (bytes > this.#pieceBytes && end > first) break;
    }
    this.#cuts.push(end);
    return end;
  }

  #make(first: number, end: number): SharedPiece {
    const frames: Uint8Array[] = [];
    for (let index = first; index < end; index += 1) {
      const event = this.#events[index];
      if (event !== undefined) frames.push(event.bytes(this.#encoding));
    }
    return new SharedPiece(first, frames, this.#pieceBytes);
  }
}

class SharedPiece implements Piece {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly #first: number;
  readonly #frames: readonly Uint8Array[];

  constructor(first: number, frames: readonly Uint8Array[], pieceBytes: number) {
    const [only] = frames;
    this.#first = first;
    this.#frames = frames;
    this.count = frames.length;
    this.bytes = frames.length === 1 && only !== undefined && isFrugal(only, pieceBytes) ? only : concatenate(frames);
  }

  from(index: number): Piece {
    const skipped = index - this.#first;
    if (skipped === 0) return this;
    let start = 0;
    for (let frame = 0; frame < skipped; frame += 1) start += this.#frames[frame]?.length ?? 0;
    return { bytes: this.bytes.subarray(start), count: this.count - skipped };
  }
}

/**
 * True when what it keeps alive is no more than a piece may be: a small event lies in a block with others, which would stay
 * as long as the socket that holds it does.
 */
function isFrugal(bytes: Uint8Array, pieceBytes: number): boolean {
  return bytes.buffer.byteLength <= Math.max(pieceBytes, bytes.length);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
