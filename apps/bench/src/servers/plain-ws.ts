// What everybody writes first: for each client, send. The text is made once per event.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { serve } from "./contender.ts";

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: process.argv.includes("--deflate") });
serve({
  server,
  publish: (event) => {
    const text = JSON.stringify(event);
    for (const client of sockets.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  },
});
