import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { freeze } from "./freeze.ts";

/** A real Mosquitto of this test's own, on a free port of the loopback interface. */
export class Mosquitto {
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(program: string, port: number, folder: string) {
    this.#program = program;
    this.port = port;
    this.#folder = folder;
  }

  static async start(program: string, config: readonly string[] = []): Promise<Mosquitto> {
    const mosquitto = new Mosquitto(program, await freePort(), mkdtempSync(join(tmpdir(), "starcast-mosquitto-")));
    await mosquitto.start(config);
    return mosquitto;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get folder(): string {
    return this.#folder;
  }

  /** Starts it again, on the same port, with an empty memory. */
  async start(config: readonly string[] = []): Promise<void> {
    const file = join(this.#folder, "mosquitto.conf");
    const listener = config.some((line) => line.startsWith("listener")) ? [] : [`listener ${this.port} 127.0.0.1`];
    const access = config.some((line) => line.startsWith("allow_anonymous")) ? [] : ["allow_anonymous true"];
    // As root it would leave its rights, and then not read its own files.
    writeFileSync(
      file,
      [...listener, ...access, "user root", "persistence false", "log_type none", ...config, ""].join("\n"),
    );
    this.#process = spawn(this.#program, ["-c", file], { stdio: "ignore" });
    await untilListening(this.port);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process === null || process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, "exit");
    process.kill(signal);
    await exited;
  }

  freeze(): Promise<void> {
    return freeze(this.#process);
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async end(): Promise<void> {
    this.thaw();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (await isListening(port)) return;
  }
  throw new Error(`Expected mosquitto to listen on ${port}, found nobody`);
}

/** One look; a refused one takes 10 ms, so that looking does not starve what is awaited. */
async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), 10));
  });
}
