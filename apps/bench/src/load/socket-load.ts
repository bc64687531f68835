// The load of one contender, in a process of its own: many raw clients that only count. Parses as little as it can, so that
// the server is what is measured.
import { connect, type Socket } from "node:net";

export interface LoadRequest {
  readonly kind: "connect";
  readonly port: number;
  /** So many more. */
  readonly clients: number;
  /** The HTTP request each client sends. */
  readonly request: string;
  /** Sent after the head was answered, already framed. */
  readonly hello: string | null;
  /** What stands once in every event's bytes. */
  readonly marker: string;
}

export interface CountRequest {
  readonly kind: "count";
  /** Events every client must get from now on. */
  readonly events: number;
}

let counters: Uint32Array = new Uint32Array(0);
let expected = 0;
let missing = 0;
let marker = Buffer.alloc(0);
const sockets: Socket[] = [];

process.on("message", (message: LoadRequest | CountRequest | { readonly kind: "report" }) => {
  if (message.kind === "connect") void open(message);
  else if (message.kind === "count") count(message.events);
  else report();
});

async function open(request: LoadRequest): Promise<void> {
  marker = Buffer.from(request.marker);
  for (let count = 0; count < request.clients; count += 1) sockets.push(await openOne(request, sockets.length));
  counters = new Uint32Array(sockets.length);
  process.send?.({ kind: "connected" });
}

function openOne({ port, request, hello }: LoadRequest, index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let isOpen = false;
    let rest = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("close", () => {
      throw new Error(`Client ${index} was closed by the server`);
    });
    socket.on("connect", () => socket.write(request));
    socket.on("data", (chunk) => {
      if (!isOpen) {
        isOpen = true;
        if (!/^HTTP\/1\.1 (101|200)/.test(chunk.toString("latin1", 0, 16)))
          return reject(new Error(`refused: ${chunk.toString("latin1", 0, 200)}`));
        if (hello !== null) socket.write(Buffer.from(hello, "latin1"));
        resolve(socket);
      }
      // A marker may be cut in two by a chunk's end.
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let found = 0;
      let at = bytes.indexOf(marker);
      let end = 0;
      while (at >= 0) {
        found += 1;
        end = at + marker.length;
        at = bytes.indexOf(marker, end);
      }
      rest = Buffer.from(bytes.subarray(Math.max(end, bytes.length - marker.length + 1)));
      if (found > 0) got(index, found);
    });
  });
}

function count(events: number): void {
  counters.fill(0);
  expected = events;
  missing = counters.length;
  process.send?.({ kind: "counting" });
}

function got(index: number, events: number): void {
  if (expected === 0) return;
  const before = counters[index] ?? 0;
  counters[index] = before + events;
  if (before + events > expected)
    throw new Error(`Client ${index} got ${before + events} events, more than ${expected}`);
  if (before + events !== expected) return;
  missing -= 1;
  if (missing === 0) {
    expected = 0;
    process.send?.({ kind: "complete" });
  }
}

function report(): never {
  const short = [...counters].map((value, client) => ({ client, value })).filter(({ value }) => value < expected);
  const some = short.slice(0, 5).map(({ client, value }) => `client ${client} got ${value}`);
  throw new Error(
    `${short.length} of ${counters.length} clients did not get all ${expected} events: ${some.join(", ")}; the ${marker.toString()} of each is counted`,
  );
}
