import type { Clock } from "@starcast/core";
import type { CloseReasonName } from "@starcast/core/wire";
import type { InboundLimits } from "./options.ts";
import { makeInflater } from "./compression/accept-deflate.ts";
import { makeReceiver, type Receiver } from "./receiver.ts";

/** Who hears what a client sends. */
export interface InboundOwner {
  onText(text: string): void;
  onPing(payload: Uint8Array): void;
  onPong(): void;
  /** The client's close frame; 1005 when it held no code. Nothing follows. */
  onCloseFrame(code: number): void;
  /** It broke a rule or a limit; nothing follows. */
  onViolation(reason: CloseReasonName): void;
}

/** Where the bytes come from. */
export interface InboundSource {
  pause(): unknown;
  resume(): unknown;
}

export interface InboundHost {
  readonly clock: Clock;
  readonly options: { readonly inbound: InboundLimits };
}

/** What one client sends, parsed and bounded. Made when it first sends more than answers to pings. */
export class Inbound {
  readonly #owner: InboundOwner;
  readonly #source: InboundSource;
  readonly #clock: Clock;
  readonly #maxPerSecond: number;
  readonly #receiver: Owned;
  #allowance: number;
  #refilledAt: number;
  #isOver = false;

  /** `isDeflated`: it agreed to send messages compressed, if it likes. */
  constructor(owner: InboundOwner, source: InboundSource, { clock, options }: InboundHost, isDeflated: boolean) {
    const { maxMessageBytes, maxFragments, maxChunks, maxMessagesPerSecond } = options.inbound;
    this.#owner = owner;
    this.#source = source;
    this.#clock = clock;
    this.#maxPerSecond = maxMessagesPerSecond;
    this.#allowance = maxMessagesPerSecond;
    this.#refilledAt = clock.now();
    const receiver: Owned = makeReceiver({
      isServer: true,
      maxPayload: maxMessageBytes,
      maxFragments,
      maxBufferedChunks: maxChunks,
      extensions: isDeflated ? { "permessage-deflate": makeInflater(maxMessageBytes) } : {},
    });
    receiver[inboundOf] = this;
    receiver
      .on("message", onMessage)
      .on("ping", onPing)
      .on("pong", onPong)
      .on("conclude", onConclude)
      .on("drain", onDrain)
      .on("error", onError);
    this.#receiver = receiver;
  }

  /** Parses; the owner hears within this call, of violations right after. */
  push(chunk: Uint8Array): void {
    // A message that waits to be unpacked holds up what came behind it, which must not pile up here.
    if (!this.#isOver && !this.#receiver.write(chunk)) this.#source.pause();
  }

  drained(): void {
    this.#source.resume();
  }

  message(data: Buffer, isBinary: boolean): void {
    if (!this.#mayGoOn()) return;
    if (isBinary) this.#end("binary_refused");
    else this.#owner.onText(data.toString("utf8"));
  }

  ping(payload: Buffer): void {
    if (this.#mayGoOn()) this.#owner.onPing(payload);
  }

  pong(): void {
    if (this.#mayGoOn()) this.#owner.onPong();
  }

  conclude(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onCloseFrame(code);
  }

  fail(error: Error): void {
    const code: unknown = "code" in error ? error.code : undefined;
    this.#end(violations.get(code) ?? "protocol_error");
  }

  // A bucket of one second's worth.
  #mayGoOn(): boolean {
    if (this.#isOver) return false;
    if (this.#maxPerSecond === Infinity) return true;
    const now = this.#clock.now();
    const earned = (Math.max(now - this.#refilledAt, 0) / 1_000) * this.#maxPerSecond;
    this.#refilledAt = now;
    this.#allowance = Math.min(this.#allowance + earned, this.#maxPerSecond);
    if (this.#allowance < 1) {
      this.#end("too_many_messages");
      return false;
    }
    this.#allowance -= 1;
    return true;
  }

  #end(reason: CloseReasonName): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onViolation(reason);
  }
}

/** True for exactly one pong, whole and masked: what most clients send, which needs no parser. */
export function isOnePong(chunk: Uint8Array): boolean {
  const length = chunk[1] ?? 0;
  return chunk[0] === 0x8a && length >= 0x80 && length <= 0x80 + 125 && chunk.length === 6 + (length - 0x80);
}

const inboundOf: unique symbol = Symbol("inbound");

type Owned = Receiver & { [inboundOf]?: Inbound };

// Shared listeners: no closures per connection.
function onMessage(this: Owned, data: Buffer, isBinary: boolean): void {
  this[inboundOf]?.message(data, isBinary);
}

function onPing(this: Owned, payload: Buffer): void {
  this[inboundOf]?.ping(payload);
}

function onPong(this: Owned): void {
  this[inboundOf]?.pong();
}

function onConclude(this: Owned, code: number): void {
  this[inboundOf]?.conclude(code);
}

function onDrain(this: Owned): void {
  this[inboundOf]?.drained();
}

function onError(this: Owned, error: Error): void {
  this[inboundOf]?.fail(error);
}

/** What `ws` calls the violations that are not of the protocol itself. */
const violations: ReadonlyMap<unknown, CloseReasonName> = new Map([
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "too_large"],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", "too_large"],
  ["WS_ERR_TOO_MANY_BUFFERED_PARTS", "too_many_messages"],
  ["WS_ERR_INVALID_UTF8", "invalid_text"],
]);
