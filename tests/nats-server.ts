import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { freeze } from "./freeze.ts";

export interface NatsSettings {
  readonly flags?: readonly string[] | undefined;
  /** Text of a configuration file, where flags do not reach. */
  readonly config?: string | undefined;
  /** @default true */
  readonly jetstream?: boolean | undefined;
}

/** A nats-server of a test: on free ports of loopback, with a folder of its own. */
export class NatsServer {
  readonly #program: string;
  readonly #folder: string;
  readonly #settings: NatsSettings;
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(program: string, port: number, folder: string, settings: NatsSettings) {
    this.#program = program;
    this.#port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  static async start(program: string, settings: NatsSettings = {}): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), "starcast-nats-"));
    const server = new NatsServer(program, await freePort(), folder, settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get folder(): string {
    return this.#folder;
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  /** Starts it again after `kill`, on the port it had; with another configuration, if there is one. */
  async start(config = this.#settings.config): Promise<void> {
    const { flags = [], jetstream = true } = this.#settings;
    const file = join(this.#folder, "nats.conf");
    if (config !== undefined) await writeFile(file, config);
    const process = spawn(
      this.#program,
      [
        ...["--addr", "127.0.0.1", "--port", String(this.#port)],
        ...(jetstream ? ["--jetstream", "--store_dir", this.#data] : []),
        ...(config === undefined ? [] : ["--config", file]),
        ...flags,
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
  }

  freeze(): Promise<void> {
    return freeze(this.#process);
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Without a chance to write what it has acknowledged. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** As an operator does: it writes everything first. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** As a power cut does: what happens meanwhile is lost, in one part of its folder or all of it. It stays away. */
  async loseWhat(happens: () => Promise<unknown>, part = ""): Promise<void> {
    const data = join(this.#data, part);
    const copy = join(this.#folder, "copy");
    await this.stop();
    await cp(data, copy, { recursive: true });
    await this.start();
    await happens();
    await this.kill();
    await replaceFolder(data, copy);
  }

  /** While neither runs: goes on with what another has stored. */
  takeDataOf(other: NatsServer): Promise<void> {
    return replaceFolder(this.#data, other.#data);
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process;
    if (process === null || process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, "exit");
    process.kill(signal);
    await exited;
  }
}

async function replaceFolder(folder: string, by: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(by, folder, { recursive: true });
}
