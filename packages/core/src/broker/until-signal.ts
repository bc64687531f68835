import { InvalidOptionError, StarcastError } from "../errors.ts";

/**
 * Aborts at the first of these signals, so that a broker can drain: `broker.run({ signal: untilSignal("SIGTERM") })`. A
 * second signal ends the process at once, with the exit code a shell gives a signal. Listening does not hold the process,
 * and ends with the last `run` that was given the signal: after that the process's signals are its own again.
 * Throws `unsupported` where the runtime has no signals.
 */
export function untilSignal(...names: readonly [SignalName, ...SignalName[]]): AbortSignal {
  const { process } = globalThis as { readonly process?: SignalSource };
  if (process === undefined)
    throw new StarcastError(
      "unsupported",
      "Expected a runtime with process signals, got one without: abort a signal of your own",
    );
  // Listened for under a name that is none, it would never come, and nothing would be drained.
  const wrong = names.find((name) => !Object.hasOwn(exitNumbers, name));
  if (names.length === 0 || wrong !== undefined)
    throw new InvalidOptionError({
      option: "names",
      expected: "one or more of SIGHUP, SIGINT, SIGTERM",
      received: wrong,
    });
  const controller = new AbortController();
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) process.exit(128 + (exitNumbers[name as SignalName] ?? 0));
    controller.abort(name);
  };
  const listen = (): void => {
    for (const name of names) process.on(name, onSignal);
  };
  listen();
  const leave = (): void => {
    for (const name of names) process.off(name, onSignal);
  };
  listenings.set(controller.signal, { holders: 0, listen, leave });
  return controller.signal;
}

/** For who waits on a signal: until the returned function is called, it is listened for if it is one of `untilSignal`. */
export function holdSignal(signal: AbortSignal | undefined): () => void {
  const listening = signal === undefined ? undefined : listenings.get(signal);
  if (listening === undefined) return () => undefined;
  if (listening.holders === 0) {
    // It listens already, unless the last holder has gone.
    listening.leave();
    listening.listen();
  }
  listening.holders += 1;
  return () => {
    listening.holders -= 1;
    if (listening.holders === 0) listening.leave();
  };
}

interface Listening {
  holders: number;
  readonly listen: () => void;
  readonly leave: () => void;
}

const listenings = new WeakMap<AbortSignal, Listening>();

export type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM";

const exitNumbers: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

interface SignalSource {
  on(name: string, listener: (name: string) => void): unknown;
  off(name: string, listener: (name: string) => void): unknown;
  exit(code: number): never;
}
