import { watchRejection } from "../thenable.ts";
import type { Moment, MomentLevel, Observer } from "./observer.ts";

/** Tells every observer; one that throws is reported to the others and harms nobody. */
export class Observers {
  readonly #observers: readonly Observer[];
  /** False when no observer looks at moments of level `debug`: the hot path then need not make them. */
  readonly wantsDebug: boolean;

  constructor(observers: readonly Observer[]) {
    this.#observers = observers;
    this.wantsDebug = observers.some((observer) => rank[observer.level ?? "debug"] === 0);
  }

  tell(moment: Moment): void {
    for (const observer of this.#observers) this.#tellOne(observer, moment);
  }

  #tellOne(observer: Observer, moment: Moment): void {
    if (rank[moment.level] < rank[observer.level ?? "debug"]) return;
    try {
      const result: unknown = observer(moment);
      if (result !== undefined) watchRejection(result, (error) => this.#failed(observer, moment, error));
    } catch (error) {
      this.#failed(observer, moment, error);
    }
  }

  #failed(observer: Observer, moment: Moment, error: unknown): void {
    // Telling the failed one of its own failure could go on for ever.
    if (moment.kind === "observerFailed") return;
    for (const other of this.#observers)
      if (other !== observer) this.#tellOne(other, { kind: "observerFailed", level: "warn", error });
  }
}

const rank: Readonly<Record<MomentLevel, number>> = { debug: 0, info: 1, warn: 2 };
