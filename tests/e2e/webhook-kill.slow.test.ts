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
  /** By what was published: the ids it came with, once per delivery. */
  readonly received: Map<string, string[]>;
  /** Resolves when all of these have come. */
  hasAll(wanted: ReadonlySet<string>): Promise<void>;
}

async function counter(): Promise<Counter> {
  const received = new Map<string, string[]>();
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
      received.set(data, [...(received.get(data) ?? []), String(request.headers["webhook-id"])]);
      response.writeHead(204).end();
      look();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    hasAll: (wanted) =>
      new Promise((resolve) => {
        look = () => {
          if ([...wanted].every((each) => received.has(each))) resolve();
        };
        look();
      }),
  };
}

interface Told {
  readonly acknowledged: Set<string>;
  /** After each kill: the place, and the event of the newest delivery. */
  readonly left: (readonly [place: string | null, newest: string | null])[];
}

function start(path: string, to: Counter, run: number, events: number, told: Told): ChildProcess {
  const child = fork(publisher, [path, to.origin, String(run), String(events)], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  child.on("message", (message: { acknowledged?: string; left?: Told["left"][number] }) => {
    if (message.acknowledged !== undefined) told.acknowledged.add(message.acknowledged);
    if (message.left !== undefined) told.left.push(message.left);
  });
  return child;
}

describe("a service that is killed again and again", () => {
  it("loses no acknowledged event: each reaches its endpoint, repeated only with the same id", async () => {
    const folder = await mkdtemp(join(tmpdir(), "starcast-webhook-kill-"));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "events.db");
    const to = await counter();
    const told: Told = { acknowledged: new Set(), left: [] };
    const { acknowledged, left } = told;
    const random = seededRandom(20_260_101);
    for (let run = 0; run < 6; run += 1) {
      const child = start(path, to, run, 100_000, told);
      // Killed after so many acknowledgements: in the middle of publishing, storing, delivering.
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
    await to.hasAll(acknowledged);
    expect(acknowledged.size).toBeGreaterThan(120);
    // Every event is the endpoint's: neither the place nor the deliveries were ever kept without the other.
    expect(left).toHaveLength(7);
    for (const [place, newest] of left.slice(1)) expect(place).toBe(newest);
    for (const [data, ids] of to.received) expect([data, new Set(ids).size]).toEqual([data, 1]);
    const allIds = [...to.received.values()].map(([id]) => id);
    expect(new Set(allIds).size).toBe(allIds.length);
  });
});
