// A contender in a process of its own.
import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { variedModel } from "./varied-model.ts";

/** What a contender has to bring: somewhere to connect, and one call per publication. */
export interface Contender {
  readonly server: Server;
  publish(event: {
    readonly id: string;
    readonly type: string;
    readonly timestamp: string;
    readonly data: unknown;
  }): void;
}

export interface PublishRequest {
  readonly kind: "publish";
  readonly turns: number;
  readonly perTurn: number;
  /** About how long an event is on the wire. */
  readonly bytes: number;
  /** Each event says something else, as real ones do: what is compressed depends on it. */
  readonly isVaried: boolean;
}

/** So many events at an even pace; the times at which they were published come back as `paced`. */
export interface PaceRequest {
  readonly kind: "pace";
  readonly perSecond: number;
  readonly events: number;
}

type Request = PublishRequest | PaceRequest | { readonly kind: "cost" | "memory" | "full" };

/** Stands in each event's envelope exactly once. */
export const marker = '"timestamp"';

/** A node:http contender: listens, and does as it is told. */
export function serve({ server, publish }: Contender): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    obey(typeof address === "object" ? (address?.port ?? 0) : 0, publish, collectGarbage);
  });
  watchFull(server);
}

/** Answers how many of the connections made since it was first asked hold bytes that their kernel did not take. */
function watchFull(server: Server): void {
  // Who measures memory never asks: a list of sockets would be measured too.
  let sockets: Set<Socket> | undefined;
  process.on("message", ({ kind }: { readonly kind: string }) => {
    if (kind !== "full") return;
    if (sockets === undefined) {
      const since = (sockets = new Set());
      server.on("connection", (socket) => since.add(socket));
    }
    process.send?.({ kind: "full", count: [...sockets].filter(({ writableLength }) => writableLength > 0).length });
  });
}

/** Says where it listens, then publishes what it is told, and says what that cost. */
export function obey(port: number, publish: Contender["publish"], collect: () => void | Promise<void>): void {
  let offset = 0;
  let before = process.cpuUsage();
  process.on("message", (message: Request) => {
    before = message.kind === "cost" ? before : process.cpuUsage();
    if (message.kind === "publish") void publishTurns(message);
    else if (message.kind === "pace") publishPaced(message);
    else if (message.kind === "cost") {
      const { user, system } = process.cpuUsage(before);
      process.send?.({ kind: "cost", cpuMs: (user + system) / 1_000 });
    } else if (message.kind === "memory") void tellMemory();
  });
  process.send?.({ kind: "listening", port });

  async function tellMemory(): Promise<void> {
    for (let round = 0; round < 4; round += 1) await collect();
    const { heapUsed, external } = process.memoryUsage();
    process.send?.({ kind: "memory", resident: residentBytes(), heap: heapUsed + external });
  }

  function publishOne(data: unknown): void {
    offset += 1;
    publish({ id: `abcd1234-${offset}`, type: "model.updated", timestamp: new Date().toISOString(), data });
  }

  async function publishTurns({ turns, perTurn, bytes, isVaried }: PublishRequest): Promise<void> {
    const data = dataOf(bytes);
    for (let turn = 0; turn < turns; turn += 1) {
      for (let index = 0; index < perTurn; index += 1) publishOne(isVaried ? variedModel(offset, bytes) : data);
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  function publishPaced({ perSecond, events }: PaceRequest): void {
    const data = dataOf(smallBytes);
    const startedAt = sharedNowMs();
    const times: number[] = [];
    const timer = setInterval(() => {
      const due = Math.min(events, ((sharedNowMs() - startedAt) * perSecond) / 1_000);
      while (times.length < due) {
        // When it was due, not when a busy process came to it: waiting is part of a latency.
        times.push(startedAt + (times.length * 1_000) / perSecond);
        publishOne(data);
      }
      if (times.length < events) return;
      clearInterval(timer);
      process.send?.({ kind: "paced", times });
    }, 1);
  }
}

/**
 * As V8 does by itself when memory is low: this also gives back the young generation, whose size is a matter of what
 * happened lately, by more than a thousand idle connections take. `gc()` leaves it as it is.
 */
async function collectGarbage(): Promise<void> {
  // Bun has no such module, and its own way.
  const { Session } = await import("node:inspector/promises");
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}

/** Without pages of files, which come and go as the whole machine needs memory: program code, mostly. */
function residentBytes(): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1_024;
  } catch {
    // Not everywhere; the medians are then only noisier.
    return process.memoryUsage().rss;
  }
}

/** A clock that all processes of the machine share, Bun's too, finer than `Date`. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export const smallBytes = 200;

const envelopeBytes = 140;

function dataOf(bytes: number): unknown {
  return { id: "openai/gpt-x", price: 1.25, note: "x".repeat(bytes - envelopeBytes) };
}
