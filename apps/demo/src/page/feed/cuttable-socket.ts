const open = new Set<WebSocket>();

/** The browser's WebSocket, remembered while it is open, so that a button can cut it behind the client's back. */
export class CuttableSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    open.add(this);
    this.addEventListener("close", () => open.delete(this));
  }
}

/** Ends the connection as a broken network does, as far as a page can; false when there is none. */
export function cutSockets(): boolean {
  const wasOpen = open.size > 0;
  for (const socket of open) socket.close();
  return wasOpen;
}
