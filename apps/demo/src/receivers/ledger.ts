/** What a receiver has to show for itself. */
export interface Tally {
  /** Different events that arrived. */
  readonly received: number;
  /** Arrivals of an event that was there already. */
  readonly duplicates: number;
  /** Arrivals behind a later event, first arrivals only. */
  readonly disordered: number;
  /** Events told, in band, never to come. */
  readonly told: number;
  /** Up to here everything has arrived or was told as missing. */
  readonly through: number;
  /** Not there yet although a later one is. */
  readonly missing: number;
}

/** Everything a ledger is, to go on with later. */
export interface LedgerState extends Tally {
  /** Arrived behind what is missing. */
  readonly ahead: readonly number[];
  readonly newest: number;
}

/** Keeps the books of one receiver: offsets are dense, so what is missing is known. Grows only with what is missing. */
export class Ledger {
  #through: number;
  #newest: number;
  readonly #ahead = new Set<number>();
  #received = 0;
  #duplicates = 0;
  #disordered = 0;
  #told = 0;

  /** Begins after this offset, or goes on with what is given. */
  constructor(after: number, kept?: LedgerState) {
    this.#through = kept?.through ?? after;
    this.#newest = kept?.newest ?? after;
    for (const offset of kept?.ahead ?? []) this.#ahead.add(offset);
    this.#received = kept?.received ?? 0;
    this.#duplicates = kept?.duplicates ?? 0;
    this.#disordered = kept?.disordered ?? 0;
    this.#told = kept?.told ?? 0;
  }

  /** Books an arrival; false when this event was there already. */
  book(offset: number): boolean {
    if (offset <= this.#through || this.#ahead.has(offset)) {
      this.#duplicates += 1;
      return false;
    }
    this.#received += 1;
    if (offset < this.#newest) this.#disordered += 1;
    this.#newest = Math.max(this.#newest, offset);
    this.#ahead.add(offset);
    this.#close();
    return true;
  }

  /** Books a gap: everything up to here that is not there will never come. */
  bookGap(through: number): void {
    for (let offset = this.#through + 1; offset <= through; offset += 1) {
      if (this.#ahead.has(offset)) continue;
      this.#ahead.add(offset);
      this.#told += 1;
    }
    this.#newest = Math.max(this.#newest, through);
    this.#close();
  }

  get tally(): Tally {
    return {
      received: this.#received,
      duplicates: this.#duplicates,
      disordered: this.#disordered,
      told: this.#told,
      through: this.#through,
      missing: this.#newest - this.#through - this.#ahead.size,
    };
  }

  get state(): LedgerState {
    return { ...this.tally, ahead: [...this.#ahead], newest: this.#newest };
  }

  #close(): void {
    while (this.#ahead.delete(this.#through + 1)) this.#through += 1;
  }
}
