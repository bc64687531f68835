import { once } from "node:events";
import { connect } from "node:net";
import type { Publishing } from "./publishing.ts";
import { envelope, topic } from "./site.ts";

/** Several of the socket's own pieces: one allocation for hundreds of packets. */
const pieceBytes = 65_536;

/**
 * The floor under QoS 1: the same publications, put into packets by hand on a plain socket, their answers only counted. It
 * keeps nothing, knows no identifiers, and could not tell which publication was lost.
 */
export async function bare(url: string, window: number): Promise<Publishing> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port), noDelay: true });
  await once(socket, "connect");
  // MQTT 3.1.1, whose PUBACK is always of four bytes.
  socket.write(Buffer.from("\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04bare", "latin1"));
  await once(socket, "data");

  let piece = Buffer.allocUnsafeSlow(pieceBytes);
  let from = 0;
  let to = 0;
  let sent = 0;
  let answerBytes = 0;
  let last = 0;
  let done = (): void => undefined;

  const flush = (): void => {
    if (to > from) socket.write(piece.subarray(from, to));
    from = to;
  };
  const put = (payload: string): void => {
    const head = 2 + topic.length + 2;
    const rest = head + payload.length;
    if (piece.length - to < rest + 3) {
      flush();
      piece = Buffer.allocUnsafeSlow(pieceBytes);
      from = to = 0;
    }
    // A length of two bytes, as all of these have.
    piece.set([0x32, (rest & 127) | 128, rest >> 7, 0, topic.length], to);
    piece.write(topic, to + 5, "latin1");
    piece.writeUInt16BE((sent % 65_535) + 1, to + 3 + head - 2);
    to += 3 + head + piece.write(payload, to + 3 + head, "latin1");
    sent += 1;
  };
  const fill = (): void => {
    while (sent < last && sent - answerBytes / 4 < window) put(envelope(sent));
    flush();
  };
  socket.on("data", (chunk) => {
    answerBytes += chunk.length;
    if (answerBytes === 4 * last) done();
    else fill();
  });
  return {
    publish: (count) =>
      new Promise((resolve) => {
        done = resolve;
        last = sent + count;
        fill();
      }),
    close: async () => void socket.destroy(),
  };
}
