import { fork, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { answer, stop } from "./child.ts";
import type { LoadRequest } from "./load/socket-load.ts";
import type { NetworkContender } from "./network-suite.ts";
import { pin } from "./results.ts";
import { marker, smallBytes } from "./servers/contender.ts";

/** One contender with its clients: a server process on one core, a load process on the other. */
export class Fleet {
  readonly #server: ChildProcess;
  readonly #load: ChildProcess;
  #bytesPerDelivery = NaN;
  readonly #connect: (clients: number) => LoadRequest;
  #clients = 0;

  private constructor(server: ChildProcess, load: ChildProcess, connect: (clients: number) => LoadRequest) {
    this.#server = server;
    this.#load = load;
    this.#connect = connect;
  }

  static async start(contender: NetworkContender, clients: number): Promise<Fleet> {
    const server = fork(
      fileURLToPath(new URL(`./servers/${contender.script}.ts`, import.meta.url)),
      contender.args ?? [],
      contender.runtime === "bun" ? { execPath: bunPath(), execArgv: [] } : { execArgv: [...process.execArgv] },
    );
    const load = fork(fileURLToPath(new URL("./load/socket-load.ts", import.meta.url)), {
      execArgv: [...process.execArgv],
    });
    pin(server.pid, 0);
    pin(load.pid, 1);
    const { port } = await answer<{ readonly port: number }>(server, "listening");
    const fleet = new Fleet(server, load, (more) => ({
      kind: "connect",
      port,
      clients: more,
      request: contender.request,
      hello: contender.hello ?? null,
      marker: contender.isCompressed === true ? null : marker,
    }));
    await fleet.connect(clients);
    // By then all have been greeted, which would count as an event.
    await fleet.memory();
    return fleet;
  }

  get clients(): number {
    return this.#clients;
  }

  /** So many more clients. */
  async connect(more: number): Promise<void> {
    const connected = answer(this.#load, "connected");
    this.#load.send(this.#connect(more));
    await connected;
    this.#clients += more;
  }

  /** So many clients more that never read, each at a place of its own; resolves with how many of them the server has noticed in time. */
  async stall(clients: number): Promise<number> {
    await this.#full();
    const stalled = answer(this.#load, "stalled");
    this.#load.send({ ...this.#connect(clients), kind: "stall" });
    await stalled;
    const patientUntil = performance.now() + stallingMs;
    for (;;) {
      const full = await this.#full();
      if (full >= clients || performance.now() > patientUntil) return full;
      await pause(50);
    }
  }

  async #full(): Promise<number> {
    const full = answer<{ readonly count: number }>(this.#server, "full");
    this.#server.send({ kind: "full" });
    return (await full).count;
  }

  /** What the server's process takes once everything that is garbage was collected. */
  async memory(): Promise<Memory> {
    const memory = answer<Memory>(this.#server, "memory");
    this.#server.send({ kind: "memory" });
    return memory;
  }

  /** Nanoseconds of server CPU per delivery; every client has counted every event. */
  async measure(turns: number, perTurn: number, bytes: number = smallBytes, isVaried = false): Promise<number> {
    const events = turns * perTurn;
    await this.#counted(events, false, () => this.#server.send({ kind: "publish", turns, perTurn, bytes, isVaried }));
    return (await this.#cpuMs()) * (1e6 / (this.clients * events));
  }

  /** Bytes on the wire per delivery of the last measure. */
  get bytesPerDelivery(): number {
    return this.#bytesPerDelivery;
  }

  /** Events at an even pace: how long they took to reach each client, and nanoseconds of server CPU per delivery. */
  async pace(perSecond: number, seconds: number): Promise<Paced> {
    const events = Math.round(perSecond * seconds);
    const paced = answer<{ readonly times: readonly number[] }>(this.#server, "paced");
    await this.#counted(events, true, () => this.#server.send({ kind: "pace", perSecond, events }));
    const cpuMs = await this.#cpuMs();
    const latencies = answer<{ readonly p50: number; readonly p99: number }>(this.#load, "latencies");
    this.#load.send({ kind: "latency", times: (await paced).times });
    const { p50, p99 } = await latencies;
    return { p50, p99, cpuNs: (cpuMs * 1e6) / (this.clients * events) };
  }

  async #counted(events: number, isTimed: boolean, begin: () => void): Promise<void> {
    this.#load.send({ kind: "count", events, isTimed });
    await answer(this.#load, "counting");
    const complete = answer<{ readonly bytes: number }>(this.#load, "complete");
    begin();
    const late = setTimeout(() => this.#load.send({ kind: "report" }), lateMs);
    const { bytes } = await complete.finally(() => clearTimeout(late));
    this.#bytesPerDelivery = bytes / (this.clients * events);
  }

  async #cpuMs(): Promise<number> {
    this.#server.send({ kind: "cost" });
    return (await answer<{ readonly cpuMs: number }>(this.#server, "cost")).cpuMs;
  }

  async stop(): Promise<void> {
    await stop(this.#load);
    await stop(this.#server);
  }
}

/** In bytes: of the whole process, and of what JavaScript holds in it. */
export interface Memory {
  readonly resident: number;
  readonly heap: number;
}

/** In milliseconds, over every client and event. */
export interface Paced {
  readonly p50: number;
  readonly p99: number;
  readonly cpuNs: number;
}

/** The package `bun` carries the binary in a package of its own per platform. */
function bunPath(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("bun/package.json"));
  return require.resolve(`@oven/bun-${process.platform}-${process.arch}/bin/bun`);
}

/** Well before the first of them are closed as too slow. */
const stallingMs = 15_000;

/** Events that have not come by then are missing: the load process says of which clients, and ends the run. */
const lateMs = 30_000;
