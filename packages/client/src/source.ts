import type { End } from "./end.ts";

/** What is asked of a gateway, by whichever transport. */
export interface SourceRequest {
  /** Of the transport's own scheme, with filter and place in it. */
  readonly url: string;
  readonly token: string | null;
}

/** What a source tells; who closed it does not listen any more. */
export interface SourceListener {
  /** The text of one frame. */
  frame(text: string): void;
  /** Something else came, be it nothing but a sign of life. */
  heard(): void;
  /** The least the stream asks to wait before coming back. */
  retry(ms: number): void;
  end(end: End): void;
}

/** One connection, of whichever transport. */
export interface Source {
  /** Brings a new token, if there is one; absent where that takes a new connection. Bound. */
  readonly sendToken?: (token: string | null) => void;
  /** Idempotent. */
  close(): void;
}
