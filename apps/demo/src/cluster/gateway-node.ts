import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** One gateway process: started, killed without a word, and started again. */
export class GatewayNode {
  readonly name: string;
  readonly #natsUrl: string;
  #process: ChildProcess | null = null;
  #port: number | null = null;
  #restart: NodeJS.Timeout | null = null;
  #isClosed = false;
  kills = 0;

  constructor(name: string, natsUrl: string) {
    this.name = name;
    this.#natsUrl = natsUrl;
  }

  /** Where it listens; null while it is down. */
  get port(): number | null {
    return this.#port;
  }

  get pid(): number | null {
    return this.#port === null ? null : (this.#process?.pid ?? null);
  }

  /** Resolves when it serves; rejects when it ends before. */
  async start(): Promise<void> {
    const child = fork(fileURLToPath(new URL("./node.ts", import.meta.url)), [], {
      env: { ...process.env, STARCAST_NODE: this.name, NATS_URL: this.#natsUrl },
      // Ctrl-C is for the demo, which ends its nodes in its own order.
      detached: true,
    });
    this.#process = child;
    child.once("exit", () => this.#ended());
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`Expected ${this.name} to serve, got exit ${code}`)));
      child.once("message", (port) => {
        this.#port = Number(port);
        resolve();
      });
    });
  }

  /** As a crash does: nothing is finished, nobody is told. It is started again after a while. */
  kill(): void {
    if (this.#port === null) return;
    this.kills += 1;
    this.#process?.kill("SIGKILL");
  }

  /** Lets it drain. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }

  #ended(): void {
    this.#port = null;
    if (this.#isClosed) return;
    // One that cannot start is tried again as well.
    this.#restart = setTimeout(() => void this.start().catch(() => undefined), restartAfterMs);
  }
}

/** As a supervisor does, slowly enough to be watched. */
const restartAfterMs = 3_000;
