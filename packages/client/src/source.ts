import type { SourceEnd } from "./next-step.ts";

/** What is asked of a gateway, by whichever transport. */
export interface SourceRequest {
  /** Of the transport's own scheme, with filter and place in it. */
  readonly url: string;
  readonly token: string | null;
}

/** What a source tells. After `end`, or once it was closed, it MUST tell nothing. */
export interface SourceListener {
  /** The text of one frame. */
  frame(text: string): void;
  /** Something came, be it nothing but a sign of life. */
  heard(): void;
  /** The least the stream asks to wait before coming back. */
  retry(ms: number): void;
  end(end: SourceEnd): void;
}

/** One connection, of whichever transport. */
export interface Source {
  /** Brings a new token; false where that takes a new connection. */
  sendToken(token: string): boolean;
  /** Idempotent. */
  close(): void;
}
