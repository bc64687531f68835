import { once } from "node:events";
import type { Socket } from "node:net";

/** Reads until the text has come, or nothing comes any more. */
export async function readUntil(socket: Socket, text: string): Promise<void> {
  let received = "";
  while (!received.includes(text) && !socket.closed) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await Promise.race([once(socket, "readable"), once(socket, "close")]);
    else received += chunk.toString("latin1");
  }
}
