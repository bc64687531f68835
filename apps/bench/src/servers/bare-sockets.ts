// The limit in Node: the same bytes, gathered per turn, one write per socket, no protocol at all.
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { serve } from "./contender.ts";

const server = createServer();
const sockets: Duplex[] = [];
server.on("upgrade", (_request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  sockets.push(socket);
});
let waiting: Buffer[] = [];
serve({
  server,
  publish: (event) => {
    if (waiting.length === 0) setImmediate(flush);
    const text = Buffer.from(JSON.stringify(event));
    waiting.push(
      Buffer.concat([
        text.length < 126
          ? Buffer.from([0x81, text.length])
          : Buffer.from([0x81, 126, text.length >> 8, text.length & 255]),
        text,
      ]),
    );
  },
});

function flush(): void {
  const bytes = Buffer.concat(waiting);
  waiting = [];
  for (const socket of sockets)
    for (let at = 0; at < bytes.length; at += 65_536) socket.write(bytes.subarray(at, at + 65_536));
}
