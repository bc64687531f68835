// Takes webhooks as cheaply as a receiver can, in a process of its own: what is measured is the sender.
import { createServer } from "node:net";

const answer = "HTTP/1.1 204 No Content\r\n\r\n";

const server = createServer({ noDelay: true }, (socket) => {
  let rest = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    rest += chunk.toString("latin1");
    let answers = "";
    for (;;) {
      const headEnds = rest.indexOf("\r\n\r\n");
      if (headEnds < 0) break;
      const ends = headEnds + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(rest)?.[1] ?? 0);
      if (rest.length < ends) break;
      rest = rest.slice(ends);
      answers += answer;
    }
    if (answers !== "") socket.write(answers);
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ kind: "listening", port: typeof address === "object" ? address?.port : 0 });
});
