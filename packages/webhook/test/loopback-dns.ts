import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface DnsServer extends AsyncDisposable {
  /** As `dnsLookup` wants it. */
  readonly address: string;
  readonly questions: readonly { readonly name: string; readonly type: "A" | "AAAA" }[];
}

export type DnsAnswer = readonly string[] | "silence" | "nxdomain";

/** A DNS server on a free loopback UDP port that answers as it is told: IPv4 texts to A questions, nothing to AAAA. */
export async function dnsServer(answer: (name: string, asked: number) => DnsAnswer): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const questions: { name: string; type: "A" | "AAAA" }[] = [];
  socket.on("message", (message, peer) => {
    const { name, type, end } = readQuestion(message);
    questions.push({ name, type });
    const asked = questions.filter((question) => question.type === type).length;
    const said = answer(name, asked);
    if (said === "silence") return;
    const addresses = said === "nxdomain" || type === "AAAA" ? [] : said;
    socket.send(
      Buffer.concat([
        head(message, said === "nxdomain" ? 3 : 0, addresses.length),
        message.subarray(12, end),
        ...addresses.map(record),
      ]),
      peer.port,
      peer.address,
    );
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

function readQuestion(message: Buffer): { name: string; type: "A" | "AAAA"; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: message.readUInt16BE(at + 1) === 28 ? "AAAA" : "A", end: at + 5 };
}

function head(message: Buffer, code: number, answers: number): Buffer {
  const bytes = Buffer.alloc(12);
  message.copy(bytes, 0, 0, 2);
  bytes.writeUInt16BE(0x8180 | code, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

// A pointer to the question's name, type A, class IN, no time to live, four bytes.
function record(address: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]);
}
