// What everybody writes first: for each client, send. The text is made once per event.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { serve } from "./contender.ts";

const server = createServer();
// Its own threshold would leave events this small as they are.
const perMessageDeflate = process.argv.includes("--deflate") ? { threshold: 0 } : false;
const sockets = new WebSocketServer({ server, perMessageDeflate });
serve({
  server,
  publish: (event) => {
    const text = JSON.stringify(event);
    for (const client of sockets.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  },
});
