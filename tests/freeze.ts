import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Stops a process, until it is sent SIGCONT. Resolves when it stands still: it runs on after the signal, for a moment. */
export async function freeze(process: ChildProcess | null): Promise<void> {
  process?.kill("SIGSTOP");
  while (process?.pid !== undefined && runs(process.pid)) await new Promise((resolve) => void setImmediate(resolve));
}

function runs(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      // Behind the name, in brackets: T for what was stopped by a signal.
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
      return !"TZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
    });
  } catch {
    // Elsewhere than on Linux the signal is all there is.
    return false;
  }
}
