import type { Batch, Encoding, LogEvent, Piece } from "@starcast/core";
import type { Dialect } from "../dialect.ts";
import { deflatedFrame, windowBytes } from "./deflated-frame.ts";

/** Frames that need nothing that came before: for who has not received the window yet. */
export function plainDeflate({ protocol, textOf }: Dialect): Encoding {
  return Object.freeze({
    name: `${protocol} deflated frames`,
    encode: (event: LogEvent) => deflatedFrame(utf8.encode(textOf(event)), null),
  });
}

/**
 * The newest end of the stream of one filter, and each of its events compressed once against what came before it. It
 * follows whoever is furthest: what is older, or came to nobody, is compressed by itself.
 */
export class StreamWindow {
  readonly filterKey: string;
  /** Connections that receive this stream compressed. */
  members = 0;
  readonly #textOf: (event: LogEvent) => string;
  readonly #alone: Encoding;
  readonly #encoding: Encoding;
  /** Through where the stream was followed without a hole. */
  #through = -1;
  #tail: Uint8Array = nothing;
  /** The events whose ends are in the tail. */
  #parts: { readonly offset: number; readonly bytes: number }[] = [];
  #partBytes = 0;
  /** The event that is being added; any other is compressed by itself. */
  #adding: LogEvent | null = null;
  // The offset after which a decoder must have read everything, to read this event.
  readonly #needs = new WeakMap<LogEvent, number>();

  constructor(dialect: Dialect, filterKey: string, alone: Encoding) {
    this.filterKey = filterKey;
    this.#textOf = dialect.textOf;
    this.#alone = alone;
    this.#encoding = Object.freeze({
      name: `${dialect.protocol} shared frames`,
      encode: (event: LogEvent) => (event === this.#adding ? this.#add(event) : event.bytes(alone)),
    });
  }

  /** The piece from event number `from` on, for a decoder that has read all events after `since` and nothing else. */
  piece(batch: Batch, from: number, since: number): Piece {
    this.#follow(batch, since);
    const event = batch.events[from];
    const needed = event === undefined ? undefined : this.#needs.get(event);
    // The events behind need nothing older than this one does.
    return batch.piece(needed !== undefined && needed >= since ? this.#encoding : this.#alone, from);
  }

  #follow(batch: Batch, since: number): void {
    const through = batch.through.offset;
    if (through <= this.#through) return;
    // A batch is offered for the sake of its events: what lies before it may hold none. Who has read everything since an
    // earlier place knows of none, or it would have been followed here.
    if (batch.after.offset > this.#through && since > this.#through) this.#beginAnew();
    for (const event of batch.events) {
      if (event.offset <= this.#through) continue;
      this.#adding = event;
      event.bytes(this.#encoding);
    }
    this.#adding = null;
    this.#through = through;
  }

  #beginAnew(): void {
    this.#tail = nothing;
    this.#parts = [];
    this.#partBytes = 0;
  }

  #add(event: LogEvent): Uint8Array {
    const text = utf8.encode(this.#textOf(event));
    this.#needs.set(event, (this.#parts[0]?.offset ?? event.offset) - 1);
    const frame = deflatedFrame(text, this.#tail.length === 0 ? null : this.#tail);
    this.#parts.push({ offset: event.offset, bytes: text.length });
    this.#partBytes += text.length;
    while (this.#partBytes - (this.#parts[0]?.bytes ?? 0) >= windowBytes)
      this.#partBytes -= this.#parts.shift()?.bytes ?? 0;
    this.#tail = endOf(this.#tail, text);
    return frame;
  }
}

/** The last bytes of both, one after the other. */
function endOf(before: Uint8Array, text: Uint8Array): Uint8Array {
  if (text.length >= windowBytes) return text.slice(text.length - windowBytes);
  const kept = before.subarray(Math.max(before.length + text.length - windowBytes, 0));
  const tail = new Uint8Array(kept.length + text.length);
  tail.set(kept);
  tail.set(text, kept.length);
  return tail;
}

const nothing = new Uint8Array(0);
const utf8 = new TextEncoder();
