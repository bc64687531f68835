import type { EventLog, StoredEvent } from "@starcast/core";

/** What was committed, read from the engine itself, behind everything that could be wrong. */
export class Truth {
  readonly #log: EventLog;
  readonly #events: StoredEvent[] = [];

  constructor(log: EventLog) {
    this.#log = log;
    // First of all watchers: whoever is told of an event later finds it here.
    log.watch((events) => this.#events.push(...events));
  }

  get epoch(): string {
    return this.#log.epoch;
  }

  get head(): number {
    return this.#events.length;
  }

  get trimmedThrough(): number {
    return this.#log.trimmedThrough;
  }

  at(offset: number): StoredEvent | undefined {
    return this.#events[offset - 1];
  }

  /** The first event after `after` up to `through` that a sieve lets through. */
  firstMatch(after: number, through: number, sieve: Sieve): StoredEvent | undefined {
    for (let offset = Math.max(after, 0) + 1; offset <= Math.min(through, this.head); offset += 1) {
      const event = this.at(offset);
      if (event !== undefined && sieve.matches(event)) return event;
    }
    return undefined;
  }
}

/** A filter, and what it means said once more by other means: the oracle must not believe the matcher under test. */
export interface Sieve {
  readonly types?: readonly string[];
  readonly subjects?: readonly string[];
  matches(event: { readonly type: string; readonly subject: string | undefined }): boolean;
}

export const types: readonly string[] = ["alpha.one", "alpha.two", "beta.one", "beta.deep.two"];
export const subjects: readonly (string | undefined)[] = [undefined, "s/1", "s/2", "t/1"];

export const sieves: readonly Sieve[] = [
  { matches: () => true },
  { matches: () => true },
  { types: ["alpha.*"], matches: ({ type }) => type.startsWith("alpha.") },
  { types: ["beta.**"], matches: ({ type }) => type.startsWith("beta.") },
  { types: ["alpha.one", "beta.deep.two"], matches: ({ type }) => type === "alpha.one" || type === "beta.deep.two" },
  { subjects: ["s/*"], matches: ({ subject }) => subject?.startsWith("s/") === true },
  { types: ["*.one"], subjects: ["s/1"], matches: ({ type, subject }) => type.endsWith(".one") && subject === "s/1" },
  { types: ["nobody.publishes"], matches: () => false },
];
