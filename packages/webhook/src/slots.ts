/** Claimed at a time at most. */
const maxClaims = 256;

/**
 * Attempts at once, over all endpoints. Those whose latest attempt did not succeed, and those not tried yet, get half of
 * them, and the rest of one claim: however many hang, whoever does not goes on.
 */
export class Slots {
  readonly #max: number;
  #taken = 0;
  #unproven = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many may be claimed now. */
  get free(): number {
    return Math.min(this.#max - this.#taken, maxClaims, Math.max(1, this.#max >> 2));
  }

  isOpenTo({ isProven }: Taker): boolean {
    return isProven || this.#unproven < this.#max / 2;
  }

  take({ isProven }: Taker): void {
    this.#taken += 1;
    if (!isProven) this.#unproven += 1;
  }

  /** By one who is what it was then. */
  giveBack({ isProven }: Taker): void {
    this.#taken -= 1;
    if (!isProven) this.#unproven -= 1;
  }
}

interface Taker {
  /** Its latest attempt succeeded: the next one is likely to be short. */
  readonly isProven: boolean;
}
