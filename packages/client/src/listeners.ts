import { ClientError, invalidOption } from "./client-error.ts";
import type { Warn } from "./warnings.ts";

/** Listeners of one client: a page that reaches this forgets to take some away. */
export const maxListeners = 1_000;

interface Registration {
  readonly matches: (what: string) => boolean;
  readonly listener: (value: never) => void;
}

/** Who listens for what; one that throws harms nobody else. */
export interface Listeners {
  /** Returns how to take it away again. Throws for what cannot be listened for, and past `maxListeners`. */
  add(what: string, listener: (value: never) => void): () => void;
  /** False if nobody listens. */
  tell(what: string, value: unknown): boolean;
  clear(): void;
}

export function listenersOf(warn: Warn): Listeners {
  // Replaced, never changed: who is added or taken away while something is told does not change who hears it.
  let registrations: readonly Registration[] = [];
  return {
    add(what, listener) {
      if (typeof listener !== "function") throw invalidOption("listener", "a function", listener);
      if (registrations.length >= maxListeners)
        throw new ClientError("overloaded", `Expected at most ${maxListeners} listeners: take some away`);
      const registration = { matches: matcherOf(what), listener };
      registrations = [...registrations, registration];
      return () => {
        registrations = registrations.filter((each) => each !== registration);
      };
    },
    tell(what, value) {
      const listening = registrations.filter(({ matches }) => matches(what));
      for (const { listener } of listening) {
        try {
          // What is told of a name is what its listeners are declared to take.
          listener(value as never);
        } catch (error) {
          warn(`a listener of \`${what}\` threw`, error);
        }
      }
      return listening.length > 0;
    },
    clear() {
      registrations = [];
    },
  };
}

// Types of events have a dot, so that no pattern takes what else is told for one.
function matcherOf(what: string): (told: string) => boolean {
  if (!/^(gap|state|\*\*|[\w*.-]*\.[\w*.-]*)$/.test(what))
    throw invalidOption("what", '"gap", "state" or a type pattern', what);
  const segments = what.replaceAll(".", "\\.").replace(/\*\*$/, ".+").replaceAll("*", "[^.]+");
  const pattern = new RegExp(`^(?=.*\\.)${segments}$`);
  return (told) => told === what || pattern.test(told);
}
