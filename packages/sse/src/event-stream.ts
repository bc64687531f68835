import { StarcastError, describe, jsonEnvelope, utf8Bytes, type Encoding, type LogEvent } from "@starcast/core";
import type { ClientFrameType } from "@starcast/core/wire";

/** What stands behind `data:`: the whole event, its data only, or what an encoding makes of it (CloudEvents, say). */
export type Payload = "envelope" | "data" | Encoding;

export interface StreamFormat {
  readonly payload: Payload;
  /** Without a name every frame is a `message`: what `onmessage` and wildcard listeners hear. */
  readonly isNamed: boolean;
}

/** Makes an event a block of the stream; `text` is what `encode` makes bytes of. */
export interface StreamEncoding extends Encoding {
  text(event: LogEvent): string;
}

/** One block of the stream. */
export interface Block {
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  readonly data: string;
  /** How long a client that lost the connection waits before it comes back. */
  readonly retryMs?: number | undefined;
}

/** What the gateway itself tells a client. */
export interface ToldFrame {
  readonly type: ClientFrameType;
  readonly timestamp: string;
  readonly data: unknown;
  /** The position from which a client that got this frame resumes. */
  readonly id?: string | undefined;
  readonly retryMs?: number | undefined;
}

/** One block as text. Lines of `data` may end in CRLF, CR or LF; a line break or NUL in `event` or `id` is refused. */
export function formatBlock(block: Block): string {
  const retry = block.retryMs === undefined ? "" : `retry: ${block.retryMs}\n`;
  const id = block.id === undefined ? "" : `id: ${oneLine("id", block.id)}\n`;
  const event = block.event === undefined ? "" : `event: ${oneLine("event", block.event)}\n`;
  return `${retry}${id}${event}data: ${lines(block.data)}\n\n`;
}

/** Events as blocks of an event stream: the same object for the same format, so that all connections share the bytes. */
export function streamEncoding({ payload, isNamed }: StreamFormat): StreamEncoding {
  if (typeof payload === "object") return (isNamed ? namedCustom : unnamedCustom).get(payload);
  const pair = payload === "envelope" ? envelopes : dataOnly;
  return isNamed ? pair.named : pair.unnamed;
}

/** A frame of the gateway's own. It is an event-shaped envelope, or only its data where events are only theirs. */
export function clientBlock(frame: ToldFrame, format: StreamFormat): Uint8Array {
  const { type, id, retryMs, timestamp, data } = frame;
  // Data without an envelope does not say what it is: such a frame keeps its name, and `onmessage` stays free of it.
  const isNamed = format.isNamed || format.payload === "data";
  const text = JSON.stringify(format.payload === "data" ? data : { type, timestamp, data });
  return utf8Bytes(formatBlock({ event: isNamed ? type : undefined, id, retryMs, data: text }));
}

/** A line that no client shows to anyone: it keeps proxies from cutting a silent connection. */
export const comment: Uint8Array = new TextEncoder().encode(":\n\n");

export const contentType = "text/event-stream";

const utf8Text = new TextDecoder("utf-8", { ignoreBOM: true });

function blockEncoding(name: string, isNamed: boolean, payloadOf: (event: LogEvent) => string): StreamEncoding {
  const text = (event: LogEvent): string =>
    formatBlock({ event: isNamed ? event.type : undefined, id: event.id, data: payloadOf(event) });
  return Object.freeze({
    name: isNamed ? name : `${name} unnamed`,
    text,
    encode: (event: LogEvent) => utf8Bytes(text(event)),
  });
}

function both(
  name: string,
  payloadOf: (event: LogEvent) => string,
): { readonly named: StreamEncoding; readonly unnamed: StreamEncoding } {
  return { named: blockEncoding(name, true, payloadOf), unnamed: blockEncoding(name, false, payloadOf) };
}

const envelopes = both("event-stream", jsonEnvelope);
const dataOnly = both("event-stream data", (event) => event.json);

/** Encodings made of others, each at most once. */
class Derived {
  readonly #made = new WeakMap<Encoding, StreamEncoding>();
  readonly #derive: (from: Encoding) => StreamEncoding;

  constructor(derive: (from: Encoding) => StreamEncoding) {
    this.#derive = derive;
  }

  get(from: Encoding): StreamEncoding {
    let derived = this.#made.get(from);
    if (derived === undefined) {
      derived = this.#derive(from);
      this.#made.set(from, derived);
    }
    return derived;
  }
}

const namedCustom = new Derived((from) => wrap(from, true));
const unnamedCustom = new Derived((from) => wrap(from, false));

function wrap(from: Encoding, isNamed: boolean): StreamEncoding {
  return blockEncoding(`event-stream ${from.name}`, isNamed, (event) => utf8Text.decode(event.bytes(from)));
}

// The draft's check keeps these characters out of types and ids; if one came in by another way (an engine that holds
// what others wrote), sending it would let a publisher forge frames.
function oneLine(field: string, text: string): string {
  if (!/[\r\n\0]/.test(text)) return text;
  throw new StarcastError(
    "invalid_frame",
    `Expected \`${field}\` of an event stream without CR, LF and NUL, got ${describe(text)}`,
  );
}

// JSON as we make it is one line, and a look for a line break costs a tenth of a replacement.
function lines(data: string): string {
  return /[\r\n]/.test(data) ? data.replace(/\r\n|\r|\n/g, "\ndata: ") : data;
}
