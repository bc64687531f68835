import { fork, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
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
  readonly clients: number;
  /** Resident bytes the clients cost, idle. */
  readonly idleBytes: number;

  private constructor(server: ChildProcess, load: ChildProcess, clients: number, idleBytes: number) {
    this.#server = server;
    this.#load = load;
    this.clients = clients;
    this.idleBytes = idleBytes;
  }

  static async start(
    contender: NetworkContender,
    clients: number,
    options: { readonly isForMemory?: boolean } = {},
  ): Promise<Fleet> {
    const server = fork(
      fileURLToPath(new URL(`./servers/${contender.script}.ts`, import.meta.url)),
      contender.args ?? [],
      contender.runtime === "bun"
        ? { execPath: bunPath(), execArgv: [] }
        : { execArgv: options.isForMemory === true ? [...process.execArgv, smallYoungSpace] : [...process.execArgv] },
    );
    const load = fork(fileURLToPath(new URL("./load/socket-load.ts", import.meta.url)), {
      execArgv: [...process.execArgv],
    });
    pin(server.pid, 0);
    pin(load.pid, 1);
    const { port } = await answer<{ readonly port: number }>(server, "listening");
    const connect = async (count: number): Promise<number> => {
      const request: LoadRequest = {
        kind: "connect",
        port,
        clients: count,
        request: contender.request,
        hello: contender.hello ?? null,
        marker: contender.isCompressed === true ? null : marker,
      };
      load.send(request);
      await answer(load, "connected");
      server.send({ kind: "memory" });
      const { bytes } = await answer<{ readonly bytes: number }>(server, "memory");
      return bytes;
    };
    // The first ones pay for code and pools that all use.
    const warm = Math.floor(clients / 4);
    const before = await connect(warm);
    const after = await connect(clients - warm);
    return new Fleet(server, load, clients, (after - before) / (clients - warm));
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

/** In milliseconds, over every client and event. */
export interface Paced {
  readonly p50: number;
  readonly p99: number;
  readonly cpuNs: number;
}

/**
 * How large V8's young generation grows is a matter of the process, by more than a thousand idle connections take: it is
 * held at 1 MiB where memory per connection is measured, for every contender alike.
 */
const smallYoungSpace = "--max-semi-space-size=1";

/** The package `bun` carries the binary in a package of its own per platform. */
function bunPath(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("bun/package.json"));
  return require.resolve(`@oven/bun-${process.platform}-${process.arch}/bin/bun`);
}

/** Events that have not come by then are missing: the load process says of which clients, and ends the run. */
const lateMs = 30_000;
