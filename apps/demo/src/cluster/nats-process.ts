import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A nats-server with JetStream for as long as the demo runs: on a free port, with a folder that goes with it. */
export class NatsProcess {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, process: ChildProcess, folder: string) {
    this.url = url;
    this.#process = process;
    this.#folder = folder;
  }

  /** Ends the program with 2 where nats-server is not installed, and says how to get it. */
  static async startOrExit(): Promise<NatsProcess> {
    const folder = await mkdtemp(join(tmpdir(), "starcast-demo-"));
    // Servers live in sbin, which is not on everyone's PATH.
    const path = [process.env["PATH"] ?? "", "/usr/sbin", "/usr/local/sbin"].join(delimiter);
    const program = process.env["NATS_SERVER"] ?? "nats-server";
    const server = spawn(program, ["-js", "-a", "127.0.0.1", "-p", "-1", "-sd", folder], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH: path },
      // Ctrl-C in a terminal reaches the whole group; NATS is to outlive the gateways.
      detached: true,
    });
    try {
      return new NatsProcess(await readUrl(server), server, folder);
    } catch {
      await rm(folder, { recursive: true, force: true });
      process.stderr.write(`${absent}\n`);
      process.exit(2);
    }
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const absent = `The cluster needs NATS with JetStream, and no nats-server could be started.
  Debian, Ubuntu: apt-get install nats-server        macOS: brew install nats-server
  or name one that runs: NATS_URL=nats://127.0.0.1:4222 npm run demo -- --cluster 3`;

function readUrl(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    server.once("error", reject);
    server.once("exit", () => reject(new Error(log)));
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (log.includes("Server is ready")) return;
      log += text;
      if (!log.includes("Server is ready")) return;
      resolve(`nats://127.0.0.1:${/Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(log)?.[1]}`);
    });
  });
}
