// The load of one contender, in a process of its own: many raw clients that only count. Parses as little as it can, so that
// the server is what is measured.
import { connect, type Socket } from "node:net";
import { sharedNowMs } from "../servers/contender.ts";

export interface LoadRequest {
  /** `stall`: they never read, each from a place of its own in the first half of what was published. */
  readonly kind: "connect" | "stall";
  readonly port: number;
  /** So many more. */
  readonly clients: number;
  /** The HTTP request each client sends. */
  readonly request: string;
  /** Sent after the head was answered, already framed. */
  readonly hello: string | null;
  /** What stands once in every event's bytes; null counts text frames, whose bytes are compressed. */
  readonly marker: string | null;
}

export interface CountRequest {
  readonly kind: "count";
  /** Events every client must get from now on. */
  readonly events: number;
  /** Whether the time of each is kept. */
  readonly isTimed: boolean;
}

/** When each event was published, for events that were counted with their times. */
export interface LatencyRequest {
  readonly kind: "latency";
  readonly times: readonly number[];
}

let counters: Uint32Array = new Uint32Array(0);
let expected = 0;
let missing = 0;
let bytes = 0;
let arrivals: Float64Array | null = null;
const sockets: Socket[] = [];

process.on("message", (message: LoadRequest | CountRequest | LatencyRequest | { readonly kind: "report" }) => {
  if (message.kind === "connect") void open(message);
  else if (message.kind === "stall") void stall(message);
  else if (message.kind === "count") count(message);
  else if (message.kind === "latency") tellLatency(message.times);
  else report();
});

async function open(request: LoadRequest): Promise<void> {
  for (let count = 0; count < request.clients; count += 1) sockets.push(await openOne(request, sockets.length));
  counters = new Uint32Array(sockets.length);
  process.send?.({ kind: "connected" });
}

async function stall({ port, request, clients }: LoadRequest): Promise<void> {
  const ask = (target: string): Socket => {
    const socket = connect({ port, host: "127.0.0.1" });
    // They are closed in the end, as they should be.
    socket.on("error", () => undefined);
    socket.write(request.replace(" HTTP/", `${target} HTTP/`));
    return socket;
  };
  const [, epoch = "", offset = "0"] = await new Promise<RegExpExecArray>((resolve) => {
    let head = "";
    const scout = ask("").on("data", (chunk) => {
      head += chunk.toString("latin1");
      const position = /"position":"(\w+)-(\d+)"/.exec(head);
      if (position === null) return;
      scout.destroy();
      resolve(position);
    });
  });
  for (let n = 0; n < clients; n += 1) ask(`?after=${epoch}-${Math.floor((Number(offset) * n) / clients / 2)}`).pause();
  process.send?.({ kind: "stalled" });
}

function openOne({ port, request, hello, marker }: LoadRequest, index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let isOpen = false;
    const countIn = marker === null ? frameCounter() : markerCounter(Buffer.from(marker));
    socket.on("error", reject);
    socket.on("close", () => {
      throw new Error(`Client ${index} was closed by the server`);
    });
    socket.on("connect", () => socket.write(request));
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (!isOpen) {
        isOpen = true;
        if (!/^HTTP\/1\.1 (101|200)/.test(chunk.toString("latin1", 0, 16)))
          return reject(new Error(`refused: ${chunk.toString("latin1", 0, 200)}`));
        if (hello !== null) socket.write(Buffer.from(hello, "latin1"));
        resolve(socket);
        // What follows the head in one chunk is the gateway's greeting, never an event.
        if (marker === null) return;
      }
      const found = countIn(chunk);
      if (found > 0) got(index, found);
    });
  });
}

function markerCounter(marker: Buffer): (chunk: Buffer) => number {
  let rest = Buffer.alloc(0);
  return (chunk) => {
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
    return found;
  };
}

// Frames shorter than 64 KiB, not fragmented: what a server sends for one event.
function frameCounter(): (chunk: Buffer) => number {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    let bytes = Buffer.concat([rest, chunk]);
    let found = 0;
    for (;;) {
      const short = (bytes[1] ?? 0) & 127;
      const headLength = short === 126 ? 4 : 2;
      if (bytes.length < headLength) break;
      const length = headLength + (short === 126 ? bytes.readUInt16BE(2) : short);
      if (bytes.length < length) break;
      bytes = bytes.subarray(length);
      found += 1;
    }
    rest = Buffer.from(bytes);
    return found;
  };
}

function count({ events, isTimed }: CountRequest): void {
  counters.fill(0);
  bytes = 0;
  arrivals = isTimed ? new Float64Array(counters.length * events) : null;
  expected = events;
  missing = counters.length;
  process.send?.({ kind: "counting" });
}

function got(index: number, events: number): void {
  if (expected === 0) return;
  const before = counters[index] ?? 0;
  counters[index] = before + events;
  arrivals?.fill(sharedNowMs(), index * expected + before, index * expected + before + events);
  if (before + events > expected)
    throw new Error(`Client ${index} got ${before + events} events, more than ${expected}`);
  if (before + events !== expected) return;
  missing -= 1;
  if (missing === 0) {
    expected = 0;
    process.send?.({ kind: "complete", bytes });
  }
}

function tellLatency(times: readonly number[]): void {
  const latencies = (arrivals ?? new Float64Array(0))
    .map((at, index) => at - (times[index % times.length] ?? 0))
    .sort();
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN;
  process.send?.({ kind: "latencies", p50: at(0.5), p99: at(0.99) });
}

function report(): never {
  const short = [...counters].map((value, client) => ({ client, value })).filter(({ value }) => value < expected);
  const some = short.slice(0, 5).map(({ client, value }) => `client ${client} got ${value}`);
  throw new Error(
    `${short.length} of ${counters.length} clients did not get all ${expected} events: ${some.join(", ")}`,
  );
}
