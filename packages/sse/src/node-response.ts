import { Buffer } from "node:buffer";
import { ServerResponse, type IncomingMessage } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { StarcastError } from "@starcast/core";
import type { Answer } from "./answer.ts";
import { RawSocket, rawSocketOf } from "./raw-socket.ts";
import { watchResponse } from "./response-end.ts";
import type { HeaderFields } from "./response-headers.ts";
import type { Sink, SinkOwner } from "./sink.ts";

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** Throws `invalid_option` for whatever else a handler was called with. */
export function requireNodeResponse(res: AnyResponse): void {
  const given: { readonly writeHead?: unknown } | null | undefined = res;
  if (typeof given?.writeHead === "function") return;
  throw new StarcastError(
    "invalid_option",
    "Expected `handle` to be called with a request and a response of node:http, got something else: a Fetch request (Hono, Next.js, Bun, Deno) goes to `fetch`",
  );
}

/** True when nobody is there any more to be answered. */
export function isOver(res: AnyResponse): boolean {
  if (res.writableEnded || res.headersSent) return true;
  return res instanceof ServerResponse ? res.destroyed || res.req.socket.destroyed : res.stream.destroyed;
}

/** Sends the head of a stream at once, with what earlier middleware set, but for what a stream cannot have. */
export function writeStreamHead(res: AnyResponse, headers: HeaderFields): void {
  res.removeHeader("Content-Length");
  writeHead(res, 200, headers);
  // HTTP/2 sends it at once.
  if (res instanceof ServerResponse) res.flushHeaders();
}

/** Sends a whole answer; nothing when nobody is there to get it. */
export function writeAnswer(res: AnyResponse, { status, headers, body }: Answer): void {
  if (isOver(res)) return;
  writeHead(res, status, body === null ? headers : { ...headers, "Content-Length": String(Buffer.byteLength(body)) });
  // To HEAD it goes without the body, which Node sees to.
  if (body === null) res.end();
  else res.end(body);
}

/** The quickest way to write a response whose head was sent. `onFailed` hears what others throw in its place. */
export function openSink(req: AnyRequest, res: AnyResponse, onFailed: (error: unknown) => void): Sink {
  const socket = res instanceof ServerResponse ? rawSocketOf(req, res) : null;
  return res instanceof ServerResponse && socket !== null
    ? new RawSocket(res, socket)
    : new NodeResponse(res, onFailed);
}

// The two kinds of response write alike, but their overloads do not unite.
function writeHead(res: AnyResponse, status: number, headers: HeaderFields): void {
  const vary = res.getHeader("Vary");
  const fields = vary === undefined ? headers : { ...headers, Vary: `${String(vary)}, ${headers["Vary"] ?? ""}` };
  (res as ServerResponse).writeHead(status, fields);
}

/** Writes through a response: HTTP/2, HTTP/1.0, middleware that compresses, and pipelined requests that wait their turn. */
export class NodeResponse implements Sink {
  readonly isChunked = false;
  owner: SinkOwner | null = null;
  readonly #res: Flushable;
  readonly #onFailed: (error: unknown) => void;

  constructor(res: ServerResponse | Http2ServerResponse, onFailed: (error: unknown) => void) {
    this.#onFailed = onFailed;
    // The two kinds write alike, but their overloads do not unite.
    this.#res = res as Flushable;
    watchResponse(res, this);
  }

  get unsentBytes(): number {
    return this.#res.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    const res = this.#res;
    if (res.writableEnded || res.destroyed) return false;
    try {
      const hasRoom = res.write(bytes);
      // Compressing middleware keeps what it got until it is told that this was all for now.
      res.flush?.();
      if (!hasRoom) res.once("drain", () => this.owner?.onRoom());
      return hasRoom;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  end(): void {
    try {
      if (!this.#res.writableEnded) this.#res.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  destroy(): void {
    this.#res.destroy();
  }

  // Middleware threw: out of a timer, where heartbeats come from, that would end the process.
  #fail(error: unknown): void {
    this.#onFailed(error);
    this.#res.destroy();
  }
}

type Flushable = ServerResponse & { flush?(): void };
