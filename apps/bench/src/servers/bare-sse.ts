// The limit in Node for an event stream: the same chunks, gathered per turn, one write per socket, no HTTP behind the head.
import { createServer, type Socket } from "node:net";
import { serve } from "./contender.ts";

const sockets: Socket[] = [];
const server = createServer({ noDelay: true }, (socket) => {
  socket.once("data", () => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    sockets.push(socket);
  });
});
let waiting: Buffer[] = [];
serve({
  server,
  publish: (event) => {
    if (waiting.length === 0) setImmediate(flush);
    const text = `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    waiting.push(Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`));
  },
});

function flush(): void {
  const bytes = Buffer.concat(waiting);
  waiting = [];
  for (const socket of sockets)
    for (let at = 0; at < bytes.length; at += 65_536) socket.write(bytes.subarray(at, at + 65_536));
}
