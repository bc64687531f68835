// Server-Sent Events as everybody writes them first: one res.write per client and event. The text is made once per event.
import { createServer, type ServerResponse } from "node:http";
import { serve } from "./contender.ts";

const clients = new Set<ServerResponse>();
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" }).flushHeaders();
  clients.add(response);
});
serve({
  server,
  publish: (event) => {
    const text = `event: ${event.type}\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const client of clients) client.write(text);
  },
});
