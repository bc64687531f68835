import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bundle } from "./bundle.ts";

// That is how many more kills a test has.
const script = await bundle("child-writer.ts");

export interface WriterOptions {
  readonly path: string;
  readonly run: number;
  readonly durability?: "process" | "disk";
  /** Then it closes the store and ends. */
  readonly commits?: number;
  /** Published once more, under the same dedupe keys. */
  readonly again?: readonly string[];
  /** What starts it, such as strace with its arguments. */
  readonly under?: readonly string[];
}

/** A child process that writes to a store, and what it said until now. */
export class WriterProcess {
  readonly child: ChildProcess;
  epoch = "";
  readonly published: string[] = [];
  readonly acknowledged: { readonly epoch: string; readonly offset: number; readonly payload: string }[] = [];
  readonly #ended: Promise<unknown>;
  #errors = "";
  #look: () => void = () => undefined;

  constructor({ path, run, durability = "process", commits = Infinity, again = [], under = [] }: WriterOptions) {
    const command = [
      ...under,
      process.execPath,
      "--no-warnings",
      script,
      path,
      durability,
      String(run),
      String(commits),
      again.join(","),
    ];
    this.child = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    const { stdout } = this.child;
    if (stdout === null) throw new Error("Expected a pipe from the child, got none");
    createInterface(stdout).on("line", (line) => this.#hear(line));
    this.#ended = once(this.child, "close").then(() => this.#look());
  }

  /** Resolves when it has said so much; rejects when it ended before. */
  async until(isEnough: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#look = () => {
        if (isEnough()) resolve();
        else if (this.child.exitCode !== null || this.child.signalCode !== null)
          reject(new Error(`Expected the writer to go on, got its end: ${this.#errors}`));
      };
      this.#look();
    });
  }

  /** Not even the system's buffers are flushed by it, let alone ours. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#ended;
  }

  /** Resolves when it has ended by itself. */
  async end(): Promise<void> {
    await this.#ended;
    if (this.child.exitCode !== 0) throw new Error(`Expected the writer to end well, got: ${this.#errors}`);
  }

  #hear(line: string): void {
    const [word, first = "", second = "", third = ""] = line.split(" ");
    if (word === "ready") this.epoch = first;
    if (word === "published") this.published.push(...first.split(","));
    if (word === "acknowledged") this.acknowledged.push({ epoch: first, offset: Number(second), payload: third });
    this.#look();
  }
}
