import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { answer, stop } from "../child.ts";
import type { LoadRequest } from "../load/socket-load.ts";
import type { NetworkContender } from "../network-suite.ts";
import { marker, smallBytes } from "../servers/contender.ts";

/** Several gateway processes on one stream, each with its clients; the first of them publishes. */
export class Gateways {
  readonly #servers: readonly ChildProcess[];
  readonly #load: ChildProcess;
  readonly #clients: number;

  private constructor(servers: readonly ChildProcess[], load: ChildProcess, clients: number) {
    this.#servers = servers;
    this.#load = load;
    this.#clients = clients;
  }

  static async start(contender: NetworkContender, processes: number, clients: number): Promise<Gateways> {
    const script = (path: string): string => fileURLToPath(new URL(`../${path}.ts`, import.meta.url));
    const execArgv = [...process.execArgv];
    const load = fork(script("load/socket-load"), { execArgv });
    const servers: ChildProcess[] = [];
    for (let index = 0; index < processes; index += 1) {
      const server = fork(script(`servers/${contender.script}`), contender.args ?? [], { execArgv });
      servers.push(server);
      const { port } = await answer<{ readonly port: number }>(server, "listening");
      const request: LoadRequest = {
        kind: "connect",
        port,
        clients: clients / processes,
        request: contender.request,
        hello: null,
        marker,
      };
      load.send(request);
      await answer(load, "connected");
    }
    // By then all have been greeted, which would count as an event.
    for (const server of servers) {
      server.send({ kind: "memory" });
      await answer(server, "memory");
    }
    return new Gateways(servers, load, clients);
  }

  /** Deliveries per second, from the first publication to the last client's last event, and the gateways' CPU for each. */
  async measure(turns: number, perTurn: number): Promise<{ readonly perSecond: number; readonly cpuNs: number }> {
    const events = turns * perTurn;
    this.#load.send({ kind: "count", events, isTimed: false });
    await answer(this.#load, "counting");
    const [, ...before] = await this.#cpuMs();
    const complete = answer(this.#load, "complete");
    const startedAt = performance.now();
    this.#servers[0]?.send({ kind: "publish", turns, perTurn, bytes: smallBytes, isVaried: false });
    await complete;
    const tookMs = performance.now() - startedAt;
    const deliveries = events * this.#clients;
    // Who publishes counts from there, the others from when they began.
    const [publishing = 0, ...others] = await this.#cpuMs();
    const cpuMs = others.reduce((sum, ms, index) => sum + ms - (before[index] ?? 0), publishing);
    return { perSecond: (deliveries * 1_000) / tookMs, cpuNs: (cpuMs * 1e6) / deliveries };
  }

  async stop(): Promise<void> {
    await stop(this.#load);
    for (const server of this.#servers) await stop(server);
  }

  async #cpuMs(): Promise<readonly number[]> {
    const spent: number[] = [];
    for (const server of this.#servers) {
      server.send({ kind: "cost" });
      spent.push((await answer<{ readonly cpuMs: number }>(server, "cost")).cpuMs);
    }
    return spent;
  }
}
