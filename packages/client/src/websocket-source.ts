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
  const socket = new Socket(url, token === null ? ["starcast.v1"] : ["starcast.v1", `starcast.token.${token}`]);
  let isOpen = false;
  let isOver = false;
  const over = (): boolean => {
    const wasOver = isOver;
    isOver = true;
    return wasOver;
  };
  socket.onopen = () => {
    isOpen = true;
    if (!isOver) listener.heard();
  };
  socket.onmessage = ({ data }: { readonly data: unknown }) => {
    if (isOver) return;
    listener.heard();
    if (typeof data === "string") return listener.frame(data);
    over();
    socket.close();
    listener.end({ kind: "protocol_error", message: "Expected text frames, got a binary one" });
  };
  socket.onclose = ({ code }: { readonly code: number }) => {
    if (!over()) listener.end(isOpen ? { kind: "closed", code } : { kind: "unreachable" });
  };
  // `close` follows, and is what is looked at; where nobody listens, an error would end a Node process.
  socket.onerror = () => undefined;
  return {
    sendToken(renewed) {
      socket.send(JSON.stringify({ op: "token", token: renewed }));
      return true;
    },
    close() {
      if (!over()) socket.close(1000);
    },
  };
}
