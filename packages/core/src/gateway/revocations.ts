/**
 * Identities whose grants were taken back a short while ago: whoever was being judged meanwhile must not slip in with
 * an answer from before.
 */
export class Revocations {
  readonly #rememberMs: number;
  /** By identity, oldest first. */
  readonly #recent = new Map<string, { readonly number: number; readonly at: number }>();
  #number = 0;
  /** Up to this number every identity counts as revoked: there were too many to remember. */
  #everybodyUpTo = 0;

  /** Nobody is judged for longer than `rememberMs`. */
  constructor(rememberMs: number) {
    this.#rememberMs = rememberMs;
  }

  /** How many there were: what a judgement that begins now asks later revocations against. */
  get number(): number {
    return this.#number;
  }

  add(identity: string, now: number): void {
    this.#number += 1;
    for (const [each, { at }] of this.#recent) {
      if (now - at <= this.#rememberMs) break;
      this.#recent.delete(each);
    }
    if (this.#recent.size >= maxRecentRevocations) {
      this.#recent.clear();
      this.#everybodyUpTo = this.#number;
    }
    // Set anew, so that the order stays that of time.
    this.#recent.delete(identity);
    this.#recent.set(identity, { number: this.#number, at: now });
  }

  /** True when it was, or may have been, revoked after there were `number` revocations. */
  isRevokedSince(identity: string | null, number: number): boolean {
    if (identity === null) return false;
    return Math.max(this.#everybodyUpTo, this.#recent.get(identity)?.number ?? 0) > number;
  }
}

/** Revocations remembered one by one; beyond, whoever is being judged is refused and comes again. */
export const maxRecentRevocations = 10_000;
