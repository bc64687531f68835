import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { CrowdState } from "./server.ts";

/** The server of `server.ts` in a process of its own, asked one thing at a time. */
export class CrowdServer {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/events`;
  }

  static async start({ stallMs }: { readonly stallMs: number }): Promise<CrowdServer> {
    const child = fork(fileURLToPath(new URL("server.ts", import.meta.url)), [String(stallMs)], {
      // Where `tsx` is found.
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      execArgv: ["--expose-gc", "--conditions=@starcast/source", "--import", "tsx"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("message", (message: { readonly port: number }) => resolve(message.port));
      child.once("exit", (code) => reject(new Error(`Expected a server, got exit ${code}`)));
    });
    return new CrowdServer(child, port);
  }

  /** Publishes so many events of so many bytes, one size after the other, and says how things stand then. */
  async publish(publish: number, ...bytes: readonly number[]): Promise<CrowdState> {
    const answer = once(this.child, "message");
    this.child.send({ publish, bytes });
    return ((await answer) as [CrowdState])[0];
  }

  /** How things stand, once they stand so. */
  async until(isSo: (state: CrowdState) => boolean): Promise<CrowdState> {
    for (;;) {
      const state = await this.publish(0);
      if (isSo(state)) return state;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
