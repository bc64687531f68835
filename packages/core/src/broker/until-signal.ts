import { StarcastError } from "../errors.ts";

/**
 * Aborts at the first of these signals, so that a broker can drain: `broker.run({ signal: untilSignal("SIGTERM") })`. A
 * second signal ends the process at once, with the exit code a shell gives a signal. Listening does not hold the process.
 * Throws `unsupported` where the runtime has no signals.
 */
export function untilSignal(...names: readonly [SignalName, ...SignalName[]]): AbortSignal {
  const { process } = globalThis as { readonly process?: SignalSource };
  if (process === undefined)
    throw new StarcastError(
      "unsupported",
      "Expected a runtime with process signals, got one without: abort a signal of your own",
    );
  const controller = new AbortController();
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) process.exit(128 + (exitNumbers[name as SignalName] ?? 0));
    controller.abort(name);
  };
  for (const name of names) process.on(name, onSignal);
  return controller.signal;
}

export type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM";

const exitNumbers: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

interface SignalSource {
  on(name: string, listener: (name: string) => void): unknown;
  exit(code: number): never;
}
