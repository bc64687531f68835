import { typeMatcher, type EventFrame } from "@starcast/core/wire";
import { ClientError } from "./client-error.ts";
import type { Warn } from "./warnings.ts";

/** Listeners of one client, over all types: a page that reaches this forgets to take some away. */
export const maxListeners = 1_000;

interface Registration<Value> {
  readonly matches: (type: string) => boolean;
  readonly listener: (value: Value) => void;
}

/** Who listens for which types; one that throws harms nobody else. */
export class Listeners<Value = EventFrame> {
  readonly #warn: Warn;
  // Replaced, never changed: who is added or taken away while an event is told does not change who hears it.
  #registrations: readonly Registration<Value>[] = [];

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  get count(): number {
    return this.#registrations.length;
  }

  /** Returns how to take it away again. Throws `overloaded` past `maxListeners`. */
  add(pattern: string, listener: (value: Value) => void): () => void {
    if (this.#registrations.length >= maxListeners)
      throw new ClientError(
        "overloaded",
        `Expected at most ${maxListeners} listeners: take away those no longer needed`,
      );
    const registration = { matches: typeMatcher(pattern), listener };
    this.#registrations = [...this.#registrations, registration];
    return () => {
      this.#registrations = this.#registrations.filter((each) => each !== registration);
    };
  }

  tell(type: string, value: Value): void {
    for (const { matches, listener } of this.#registrations) {
      if (!matches(type)) continue;
      try {
        listener(value);
      } catch (error) {
        this.#warn(`a listener of \`${type}\` threw`, error);
      }
    }
  }

  clear(): void {
    this.#registrations = [];
  }
}
