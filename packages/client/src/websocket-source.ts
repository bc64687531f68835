import { endOfCode } from "./end.ts";
import type { Source, SourceListener, SourceRequest } from "./source.ts";

/** As much of a WebSocket as is used: the browser's, Node's, `ws`. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Frames from a WebSocket. Throws what its constructor does: for a token that no subprotocol can carry, say. */
export function openWebSocket(
  Socket: WebSocketConstructor,
  { url, token }: SourceRequest,
  listener: SourceListener,
): Source {
  // Browsers set no headers on a WebSocket: the token travels as a subprotocol, which the gateway does not echo.
  const socket = new Socket(url, ["starcast.v1", ...(token === null ? [] : [`starcast.token.${token}`])]);
  let isOpen = false;
  socket.onopen = () => {
    isOpen = true;
    listener.heard();
  };
  // A binary frame has no text that could be read as one of a gateway.
  socket.onmessage = ({ data }: { readonly data: unknown }) => listener.frame(typeof data === "string" ? data : "");
  const ended = (code: number): void =>
    listener.end(isOpen ? endOfCode(code) : { next: "soon", reason: "unreachable" });
  socket.onclose = ({ code }: { readonly code: number }) => ended(code);
  // After a handshake that failed Node 22 says no more than this; elsewhere, and later, `close` follows and says why.
  socket.onerror = () => {
    if (!isOpen) ended(1006);
  };
  return {
    sendToken: (renewed) => void (renewed && socket.send(JSON.stringify({ op: "token", token: renewed }))),
    close: () => socket.close(1000),
  };
}
