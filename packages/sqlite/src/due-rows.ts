import { textOrNull } from "./columns.ts";
import type { DeliveryClaims } from "./delivery-claims.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";

/** Rows of one endpoint that are looked up at once. */
export const rowsPerLook = 256;

/**
 * What of each endpoint is due and tried by nobody. A look into the file gives a few hundred rows of an index, from which
 * one claim after the other is served; an endpoint where nothing is due is not looked at again before its time.
 */
export class DueRows {
  readonly #statements: DeliveryStatements;
  readonly #claims: DeliveryClaims;
  /** Due, in the order in which they are; of endpoints that are being served. */
  readonly #due = new Map<string, number[]>();
  /** When the next is due, of endpoints where nothing is now; Infinity for never. */
  readonly #notBefore = new Map<string, number>();

  constructor(statements: DeliveryStatements, claims: DeliveryClaims) {
    this.#statements = statements;
    this.#claims = claims;
  }

  /** False when nothing is due; otherwise the file is to be asked. */
  mayHave(endpointId: string, now: number): boolean {
    return (this.#notBefore.get(endpointId) ?? 0) <= now;
  }

  /** The next one, which the caller claims or drops; null when nothing is due. */
  take(endpointId: string, now: number): number | null {
    if (!this.mayHave(endpointId, now)) return null;
    const due = this.#due.get(endpointId) ?? this.#look(endpointId, now);
    for (let sequence = due.pop(); sequence !== undefined; sequence = due.pop()) {
      if (due.length === 0) this.#due.delete(endpointId);
      // One whose lease had ended may have been reported after all.
      if (!this.#claims.isHeld(endpointId, sequence, now)) return sequence;
    }
    this.forget(endpointId);
    this.nextDueAt(endpointId);
    return null;
  }

  /** When something can be claimed, by time or because a lease ends; Infinity for never. */
  nextDueAt(endpointId: string): number {
    const known = this.#notBefore.get(endpointId);
    if (known !== undefined) return known;
    const dueAt = Math.min(this.nextPendingAt(endpointId) ?? Infinity, this.#claims.earliestEnd(endpointId));
    this.#notBefore.set(endpointId, dueAt);
    return dueAt;
  }

  /** When the next one that nobody tries is due; null without one. */
  nextPendingAt(endpointId: string): number | null {
    // At most so many are in the way.
    const rows = this.#statements.firstPending.all(endpointId, this.#claims.countInTheWay(endpointId) + 1);
    const isFree = (sequence: number): boolean =>
      this.#claims.of(endpointId, sequence) === undefined && !this.#claims.isSetAside(endpointId, sequence);
    const row = rows.find((each) => isFree(Number(each["sequence"])));
    return row === undefined ? null : Number(row["due_at"]);
  }

  /** A delivery of it came, moved or ended. */
  changed(endpointId: string): void {
    this.#notBefore.delete(endpointId);
  }

  /** What was due may be so no more. */
  forget(endpointId: string): void {
    this.#notBefore.delete(endpointId);
    this.#due.delete(endpointId);
  }

  /** Its rows cannot be looked up: not again before something of it changes. */
  giveUp(endpointId: string): void {
    this.#due.delete(endpointId);
    this.#notBefore.set(endpointId, Infinity);
  }

  /** Last first, so that taking one is taking the last. */
  #look(endpointId: string, now: number): number[] {
    const limit = this.#claims.countInTheWay(endpointId) + rowsPerLook;
    const sequences = textOrNull(this.#statements.firstDue.get(endpointId, now, limit)?.["sequences"]);
    const due = (sequences === null ? [] : sequences.split(",").map(Number))
      .filter((sequence) => !this.#claims.isHeld(endpointId, sequence, now))
      .slice(0, rowsPerLook)
      .reverse();
    this.#due.set(endpointId, due);
    return due;
  }
}
