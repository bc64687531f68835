import type { Event, Gap, Subscription } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import type { ExpectedStart } from "./expected-start.ts";
import { Judge } from "./judge.ts";
import type { Sieve } from "./sieve.ts";
import type { Stage } from "./stage.ts";

export interface FunctionActorOptions {
  readonly label: string;
  readonly stage: Stage;
  readonly sieve: Sieve;
  readonly start: () => ExpectedStart;
  readonly random: SeededRandom;
}

/** What a function may do with an event. */
const manners = ["returns", "resolves at once", "resolves later", "throws", "rejects", "publishes"] as const;

/** A subscriber that is a function in disguise: each event awaited before the next, a failed one passed over. */
export class FunctionActor {
  readonly label: string;
  readonly judge: Judge;
  subscription: Subscription | null = null;
  readonly #stage: Stage;
  readonly #random: SeededRandom;
  #isBusy = false;

  constructor({ label, stage, sieve, start, random }: FunctionActorOptions) {
    this.label = `${label} (function)`;
    this.#stage = stage;
    this.#random = random;
    this.judge = new Judge({
      label: this.label,
      truth: stage.truth,
      sieve,
      start,
      isHealthy: false,
      trace: (what) => stage.trace(what),
      report: (problem) => stage.report(problem),
    });
    this.judge.begins();
  }

  get isAlive(): boolean {
    return this.subscription?.isClosed === false;
  }

  readonly send = (event: Event): unknown => {
    if (this.#isBusy) this.#stage.report(`${this.label}: got ${event.id} before it was done with the one before`);
    this.judge.heard(event);
    switch (this.#random.pick(manners)) {
      case "returns":
        return undefined;
      case "publishes":
        return this.#stage.publish();
      case "resolves at once":
        return Promise.resolve();
      case "throws":
        throw new Error("Planned: a function throws");
      case "rejects":
        return Promise.reject(new Error("Planned: a function rejects"));
      case "resolves later":
        return this.#workFor(this.#random.integer(1, 100));
    }
  };

  readonly onGap = (gap: Gap): void => this.judge.told(gap);

  readonly close = (): void => {
    if (this.#isBusy) this.#stage.report(`${this.label}: closed before it was done with its event`);
    this.judge.closed(this.judge.expectedClose);
  };

  #workFor(ms: number): Promise<void> {
    this.#isBusy = true;
    return new Promise((resolve) =>
      this.#stage.after(ms, () => {
        this.#isBusy = false;
        resolve();
      }),
    );
  }
}
