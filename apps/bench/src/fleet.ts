import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { answer, stop } from "./child.ts";
import type { LoadRequest } from "./load/socket-load.ts";
import { pin } from "./results.ts";
import { marker } from "./servers/contender.ts";

/** One contender with its clients: a server process on one core, a load process on the other. */
export class Fleet {
  readonly #server: ChildProcess;
  readonly #load: ChildProcess;
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
    contender: {
      readonly script: string;
      readonly args?: readonly string[];
      readonly request: string;
      readonly hello?: string;
    },
    clients: number,
  ): Promise<Fleet> {
    const server = fork(
      fileURLToPath(new URL(`./servers/${contender.script}.ts`, import.meta.url)),
      contender.args ?? [],
      { execArgv: [...process.execArgv] },
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
        marker,
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
  async measure(turns: number, perTurn: number): Promise<number> {
    this.#load.send({ kind: "count", events: turns * perTurn });
    await answer(this.#load, "counting");
    const complete = answer(this.#load, "complete");
    this.#server.send({ kind: "publish", turns, perTurn });
    const late = setTimeout(() => this.#load.send({ kind: "report" }), lateMs);
    await complete.finally(() => clearTimeout(late));
    this.#server.send({ kind: "cost" });
    const { cpuMs } = await answer<{ readonly cpuMs: number }>(this.#server, "cost");
    return (cpuMs * 1e6) / (this.clients * turns * perTurn);
  }

  async stop(): Promise<void> {
    await stop(this.#load);
    await stop(this.#server);
  }
}

/** Events that have not come by then are missing: the load process says of which clients, and ends the run. */
const lateMs = 30_000;
