import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { ClientState } from "@starcast/client";
import type { Told } from "./judge-history.ts";
import type { ProcessOptions } from "./page/process.ts";
import { waker } from "./waker.ts";

/** A process of some runtime that follows a house. */
export class FollowingProcess {
  readonly told: Told[] = [];
  readonly states: ClientState[] = [];
  readonly exit: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waker = waker();
  #said = "";

  /** `command` runs the program that follows it. */
  constructor([command = "", ...args]: readonly string[], program: string, options: ProcessOptions) {
    const env = { ...process.env, NODE_OPTIONS: "", DENO_NO_UPDATE_CHECK: "1" };
    const child = spawn(command, [...args, program, JSON.stringify(options)], { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    child.stderr.on("data", (text: Buffer) => (this.#said += text.toString()));
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    this.exit = new Promise((resolve) => void child.on("close", resolve));
    void this.exit.then(() => this.#waker.wake());
  }

  get position(): string | undefined {
    const last = this.told.at(-1);
    return last?.event?.id ?? last?.gap?.through;
  }

  untilKind(kind: ClientState["kind"]): Promise<boolean> {
    return this.#until(() => this.states.at(-1)?.kind === kind);
  }

  untilAt(position: string): Promise<boolean> {
    return this.#until(() => this.position === position);
  }

  untilTold(count: number): Promise<boolean> {
    return this.#until(() => this.told.length >= count);
  }

  /** Ends its input; resolves with its exit code. */
  end(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.exit;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #until(isSo: () => boolean): Promise<boolean> {
    return this.#waker.until(() => {
      if (isSo()) return true;
      const by = this.#child.exitCode ?? this.#child.signalCode;
      if (by !== null) throw new Error(`It ended with ${by}: ${this.#said}`);
      return false;
    });
  }

  #take(line: string): void {
    const { state, ...told } = JSON.parse(line) as Told & { readonly state?: ClientState };
    if (state === undefined) this.told.push(told);
    else this.states.push(state);
    this.#waker.wake();
  }
}
