import { StarcastError } from "@starcast/core";
import type { Writable } from "node:stream";
import * as ws from "ws";
import type { Inflater } from "./compression/accept-deflate.ts";

/** What is used of the frame parser of `ws`: bytes of the socket in, by `write`; events out, within that call (errors right after). */
export interface Receiver extends Writable {
  on(event: "message", listener: (this: this, data: Buffer, isBinary: boolean) => void): this;
  on(event: "ping" | "pong", listener: (this: this, payload: Buffer) => void): this;
  on(event: "conclude", listener: (this: this, code: number, reason: Buffer) => void): this;
  on(event: "drain", listener: (this: this) => void): this;
  on(event: "error", listener: (this: this, error: Error) => void): this;
  on(event: string, listener: (...args: never[]) => void): this;
}

export interface ReceiverOptions {
  readonly isServer: true;
  /** Bytes of one message, fragments together. */
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  /** What was agreed with this client. */
  readonly extensions: { readonly "permessage-deflate"?: Inflater };
}

/** A parser of masked frames, by the rules of RFC 6455: mask, opcodes, reserved bits, control frames, UTF-8. */
export function makeReceiver(options: ReceiverOptions): Receiver {
  return new Parser(options);
}

/** Throws `unsupported` where `ws` is not what it is elsewhere: Bun has a `ws` of its own, whose parser throws when bytes come. */
export function assertReceiver(): void {
  const options = { isServer: true, maxPayload: 1, maxFragments: 1, maxBufferedChunks: 1, extensions: {} } as const;
  try {
    makeReceiver(options);
  } catch (cause) {
    const message = "Expected the frame parser of `ws`, which this runtime replaces: serve WebSocket from Node or Deno";
    throw new StarcastError("unsupported", message, { cause });
  }
}

// `ws` exports its parser, but its published types do not know that.
const { Receiver: Parser } = ws as unknown as { readonly Receiver: new (options: ReceiverOptions) => Receiver };
