import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@starcast/testing";
import { afterEach, describe, expect, it } from "vitest";

const publisher = fileURLToPath(new URL("webhook-kill/publisher.ts", import.meta.url));
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Counter {
  readonly origin: string;
  /** By path and what was published, `/partner 0-1`: the ids it came with, once per delivery that was taken. */
  readonly received: Map<string, string[]>;
  /** As in `received`, what was answered with 410. */
  readonly gone: Set<string>;
  /** Resolves when all of these have come. */
  hasAll(wanted: () => Iterable<string>): Promise<void>;
}

async function counter(): Promise<Counter> {
  const received = new Map<string, string[]>();
  const gone = new Set<string>();
  let look: () => void = () => undefined;
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests += 1;
      // Every seventh attempt fails, so that retries are killed too.
      if (requests % 7 === 0) return void response.writeHead(500).end();
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: string };
      const what = `${request.url} ${data}`;
      // And one of some hundred is turned off by it.
      const isGone = request.url === "/gone" && requests % 50 === 1 && !received.has(what);
      if (isGone) gone.add(what);
      else received.set(what, [...(received.get(what) ?? []), String(request.headers["webhook-id"])]);
      response.writeHead(isGone ? 410 : 204).end();
      look();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    gone,
    hasAll: (wanted) =>
      new Promise((resolve) => {
        look = () => {
          if ([...wanted()].every((each) => received.has(each) || gone.has(each))) resolve();
        };
        look();
      }),
  };
}

interface Told {
  readonly acknowledged: Set<string>;
  /** Endpoints that were put while it ran, and what of `acknowledged` was published afterwards. */
  readonly late: Map<string, Set<string>>;
  /** After each kill: the place, and the event of the partner's newest delivery. */
  readonly left: (readonly [place: string | null, newest: string | null])[];
}

interface Message {
  readonly acknowledged?: { readonly event: string; readonly late: readonly string[] };
  readonly put?: string;
  readonly left?: Told["left"][number];
}

function start(path: string, to: Counter, run: number, events: number, told: Told): ChildProcess {
  const child = fork(publisher, [path, to.origin, String(run), String(events)], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  child.on("message", ({ acknowledged, put, left }: Message) => {
    if (put !== undefined) told.late.set(put, new Set());
    if (left !== undefined) told.left.push(left);
    if (acknowledged === undefined) return;
    told.acknowledged.add(acknowledged.event);
    for (const path of acknowledged.late) told.late.get(path)?.add(acknowledged.event);
  });
  return child;
}

describe("a service that is killed again and again", () => {
  it("loses no acknowledged event: each reaches its endpoints, repeated only with the same id", async () => {
    const folder = await mkdtemp(join(tmpdir(), "starcast-webhook-kill-"));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "events.db");
    const to = await counter();
    const told: Told = { acknowledged: new Set(), late: new Map(), left: [] };
    const { acknowledged, late, left } = told;
    const random = seededRandom(20_260_101);
    for (let run = 0; run < 6; run += 1) {
      const child = start(path, to, run, 100_000, told);
      // Killed after so many acknowledgements: in the middle of publishing, storing, delivering, changing endpoints.
      const enough = acknowledged.size + 20 + Math.floor(random.next() * 300);
      await new Promise<void>((resolve, reject) => {
        child.on("message", () => acknowledged.size >= enough && resolve());
        child.on("exit", (code) => reject(new Error(`ended by itself, ${code}`)));
      });
      child.removeAllListeners("exit");
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    start(path, to, 6, 0, told);
    const always = ["/partner", "/paused", "/gone"];
    await to.hasAll(function* () {
      for (const each of always) for (const event of acknowledged) yield `${each} ${event}`;
      for (const [each, events] of late) for (const event of events) yield `${each} ${event}`;
    });
    expect(acknowledged.size).toBeGreaterThan(120);
    expect(late.size).toBeGreaterThan(6);
    expect(to.gone.size).toBeGreaterThan(6);
    // Every event is the partner's: neither the place nor the deliveries were ever kept without the other.
    expect(left).toHaveLength(7);
    for (const [place, newest] of left.slice(1)) expect(place).toBe(newest);
    for (const [what, ids] of to.received) expect([what, new Set(ids).size]).toEqual([what, 1]);
    const idsOf = (path: string): string[] =>
      [...to.received].filter(([what]) => what.startsWith(`${path} `)).flatMap(([, [id = ""]]) => id);
    for (const each of [...always, ...late.keys()]) expect(new Set(idsOf(each)).size).toBe(idsOf(each).length);
  });
});
