import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The next message of this kind; rejects if the process ends without one. */
export async function answer<Message>(child: ChildProcess, kind: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    const settle = (): void => void child.off("message", onMessage).off("exit", onExit);
    const onMessage = (message: { readonly kind: string }): void => {
      if (message.kind !== kind) return;
      settle();
      resolve(message as Message);
    };
    const onExit = (code: number | null): void => {
      settle();
      reject(new Error(`Expected "${kind}" of ${child.spawnargs.at(-1)}, got exit ${code}`));
    };
    child.on("message", onMessage).on("exit", onExit);
  });
}

/** Resolves when the process has gone. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
