import { WebSocket } from "ws";
import type { Connect } from "./live-client.ts";

/** Connects to a gateway's URL over WebSocket. */
export function websocketAt(url: string, token: string | null = null): Connect {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return (after, { frame, ended }) => {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}?after=${after}`, "starcast.v1", { headers });
    socket.on("message", (data: Buffer) => frame(data.toString("utf8")));
    socket.on("close", ended);
    // Told by the close that follows.
    socket.on("error", () => undefined);
    return { stall: () => socket.pause(), unstall: () => socket.resume(), cut: () => socket.terminate() };
  };
}
