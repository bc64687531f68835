import { fork } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { untilSignal } from "@starcast/core";

/** Says that a process is the demo itself, and somebody starts it again. */
const mark = "STARCAST_DEMO_SUPERVISED";

type Message = { readonly kind: "port"; readonly port: number } | { readonly kind: "stop" };

/** Whether this process is started again when it kills itself. */
export function isSupervised(): boolean {
  return process.env[mark] === "1" && process.send !== undefined;
}

/**
 * Runs the demo in a process of its own, and again under the same port whenever it killed itself, as its page may ask.
 * Resolves with the exit code once it ended for another reason.
 */
export async function supervise(program: URL, args: readonly string[]): Promise<number> {
  const signals = { stopped: false };
  let port: number | null = null;
  for (;;) {
    const given = port === null ? args : [...args, "--port", String(port)];
    const child = fork(fileURLToPath(program), given, { env: { ...process.env, [mark]: "1" } });
    child.on("message", (message: Message) => void (message.kind === "port" && (port = message.port)));
    // A terminal tells both processes, `kill` only this one; the demo takes the second of the two as one.
    const onSignal = (): void => {
      if (signals.stopped) child.kill("SIGKILL");
      signals.stopped = true;
      if (child.connected) child.send({ kind: "stop" } satisfies Message);
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    if (signal !== "SIGKILL" || signals.stopped) return code ?? 1;
  }
}

/** Aborted by SIGINT and SIGTERM, or by whoever supervises; a process whose supervisor was killed goes with it. */
export function stopSignal(): AbortSignal {
  const signal = untilSignal("SIGINT", "SIGTERM");
  if (!isSupervised()) return signal;
  const stopping = new AbortController();
  process.on("message", (message: Message) => void (message.kind === "stop" && stopping.abort()));
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // The channel alone is no reason to stay.
  process.channel?.unref();
  return AbortSignal.any([signal, stopping.signal]);
}

/** Tells whoever supervises where the next life has to listen. */
export function toldPort(server: Server): void {
  // A TCP server listening on a port always has an address.
  const { port } = server.address() as AddressInfo;
  if (isSupervised()) process.send?.({ kind: "port", port } satisfies Message);
}

/** Kills this process without a goodbye, as `kill -9` does; null where nobody would start it again. */
export function restartOrder(): (() => void) | null {
  if (!isSupervised()) return null;
  return () => void setTimeout(() => process.kill(process.pid, "SIGKILL"), answerWithinMs);
}

/** The answer to the order gets so long to leave. */
const answerWithinMs = 50;
