import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A nats-server of a test: on free ports of loopback, with a folder of its own. */
export class NatsServer {
  readonly #program: string;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | null = null;
  #port = 0;

  private constructor(program: string, folder: string, extra: readonly string[]) {
    this.#program = program;
    this.#folder = folder;
    this.#arguments = extra;
  }

  static async start(program: string, extra: readonly string[] = []): Promise<NatsServer> {
    const server = new NatsServer(program, await mkdtemp(join(tmpdir(), "starcast-nats-")), extra);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get folder(): string {
    return this.#folder;
  }

  /** Starts it again after `kill`, on the port it had. */
  async start(): Promise<void> {
    const ports = join(this.#folder, "ports");
    await rm(ports, { recursive: true, force: true });
    const process = spawn(
      this.#program,
      [
        ...["--addr", "127.0.0.1", "--port", this.#port === 0 ? "-1" : String(this.#port)],
        ...["--jetstream", "--store_dir", join(this.#folder, "data")],
        ...["--ports_file_dir", this.#folder],
        ...this.#arguments,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = process;
    let log = "";
    const ready = new Promise<void>((resolve, reject) => {
      process.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (log.includes("Server is ready")) resolve();
      });
      process.once("exit", (code) => reject(new Error(`Expected nats-server to run, got exit ${code}:\n${log}`)));
    });
    await ready;
    log = "";
    if (this.#port === 0) this.#port = await this.#readPort(process.pid ?? 0);
  }

  /** Sends a signal: SIGKILL, SIGSTOP, SIGCONT ... */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const process = this.#process;
    if (process === null || process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, "exit");
    process.kill("SIGKILL");
    await exited;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #readPort(pid: number): Promise<number> {
    const text = await readFile(join(this.#folder, `nats-server_${pid}.ports`), "utf8");
    const { nats } = JSON.parse(text) as { readonly nats: readonly string[] };
    return Number(new URL(nats[0] ?? "").port);
  }
}
