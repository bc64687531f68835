/** What was wrong with what a client was told; all zero for one that was told everything once, in order, or of exact gaps. */
export interface Faults {
  /** Ids that came a second time, or before an earlier one. */
  repeated: number;
  /** Ids that never came and that no gap named. */
  lost: number;
  /** Gaps that do not begin where the client was, or that hold nothing. */
  wrongGaps: number;
}

/** Judges the history of one client id by id, as it comes, and keeps only where it is. */
export class HistoryJudge {
  readonly faults: Faults = { repeated: 0, lost: 0, wrongGaps: 0 };
  events = 0;
  gaps = 0;
  #place: number;
  #firstFault: string | null = null;

  constructor(startsAfter: number) {
    this.#place = startsAfter;
  }

  /** "whole", or the first thing that was not. */
  get verdict(): string {
    return this.#firstFault ?? "whole";
  }

  /** The last offset it was told of. */
  get place(): number {
    return this.#place;
  }

  takeEvent(offset: number): void {
    this.events += 1;
    const missing = offset - this.#place - 1;
    if (missing !== 0) this.#firstFault ??= `after ${this.#place} came ${offset}`;
    if (missing < 0) this.faults.repeated += 1;
    else {
      this.faults.lost += missing;
      this.#place = offset;
    }
  }

  takeGap(after: number, through: number): void {
    this.gaps += 1;
    if (after !== this.#place || through <= after) {
      this.#firstFault ??= `after ${this.#place} came a gap after ${after} through ${through}`;
      this.faults.wrongGaps += 1;
    }
    this.#place = Math.max(this.#place, through);
  }
}
