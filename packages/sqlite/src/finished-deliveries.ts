import { textOf } from "./columns.ts";
import { CommittedValue } from "./committed-value.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { EventCopies } from "./event-copies.ts";

/** How a delivery ends. */
export type FinishedState = "succeeded" | "dead";

type Counts = Readonly<Record<FinishedState, number>>;

/** Deliveries that succeeded or are dead: as many of each as `maxFinished`, the oldest go first. Counted in memory. */
export class FinishedDeliveries {
  readonly #statements: DeliveryStatements;
  readonly #copies: EventCopies;
  readonly #maxFinished: number;
  readonly #pruneRows: number;
  readonly #counts: CommittedValue<Counts>;

  constructor(
    statements: DeliveryStatements,
    copies: EventCopies,
    { maxFinished, pruneRows }: { readonly maxFinished: number; readonly pruneRows: number },
  ) {
    this.#statements = statements;
    this.#copies = copies;
    this.#maxFinished = maxFinished;
    this.#pruneRows = pruneRows;
    const count = (state: FinishedState): number => Number(statements.countFinished.get(state)?.["count"]);
    this.#counts = new CommittedValue({ succeeded: count("succeeded"), dead: count("dead") });
  }

  /** Within a transaction: so many have ended, or begun again. */
  add(state: FinishedState, change: number): void {
    const { now } = this.#counts;
    this.#counts.now = { ...now, [state]: now[state] + change };
  }

  /** Within a transaction: deletes those that ended before, at most `limit`; gives how many these were. */
  forget(endedBefore: number, limit: number): number {
    let forgotten = 0;
    for (const state of finishedStates)
      forgotten += this.#forgetOldest(state, endedBefore, limit === Infinity ? -1 : limit - forgotten);
    return forgotten;
  }

  beforeWork(): void {
    this.#counts.beforeWork();
  }

  onUndone(): void {
    this.#counts.onUndone();
  }

  /** Deletes a step of each, as much larger as this transaction brings, so that it always catches up. */
  beforeCommit(): void {
    for (const state of finishedStates) {
      const count = this.#counts.now[state];
      const brought = Math.max(0, count - this.#counts.inFile[state]);
      const over = Math.min(count - this.#maxFinished, this.#pruneRows + brought);
      if (over > 0) this.#forgetOldest(state, Number.MAX_SAFE_INTEGER, over);
    }
  }

  /** The events that nobody needs any more go with them. */
  #forgetOldest(state: FinishedState, endedBefore: number, limit: number): number {
    const { forget, eventsToForget } = this.#statements;
    const events = this.#copies.isEmpty ? [] : eventsToForget.all(state, endedBefore, limit);
    const { changes } = forget.run(state, endedBefore, limit);
    this.add(state, -changes);
    this.#copies.drop(events.map((row) => textOf(row["event_id"])));
    return changes;
  }

  afterCommit(): void {
    this.#counts.afterCommit();
  }

  rolledBack(): void {
    this.#counts.rolledBack();
  }
}

const finishedStates = ["succeeded", "dead"] as const;
