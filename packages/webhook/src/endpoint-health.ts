import type { ResolvedHealthOptions } from "./options.ts";
import { RateGate } from "./rate-gate.ts";

/** What the breaker does: lets through, rests until a probe is due, or lets the backlog out at a rising rate. */
type Breaker =
  | { readonly kind: "closed" }
  | { readonly kind: "open"; readonly until: number; readonly restMs: number }
  | { readonly kind: "recovering"; readonly since: number };

/** What one result changed. */
export type HealthChange = "none" | "rested" | "recovered";

export interface HealthLimits {
  /** Another one is another receiver. */
  readonly url: string;
  readonly concurrency: number;
  readonly ratePerSecond: number;
}

/**
 * How much may be asked of one endpoint now. Its share grows with every success and halves with every failure, so that
 * who hangs holds one connection; a breaker gives it rest, sends one probe, and lets the backlog out by and by. Goes by
 * the times it is given, which must never go back.
 */
export class EndpointHealth {
  readonly #options: ResolvedHealthOptions;
  #limits: HealthLimits;
  readonly #gate: RateGate;
  readonly #recent = new RecentResults();
  #breaker: Breaker = { kind: "closed" };
  #window: number;
  #inFlight = 0;
  #isProven = false;

  constructor(options: ResolvedHealthOptions, limits: HealthLimits, now: number) {
    this.#options = options;
    this.#limits = limits;
    this.#gate = new RateGate(now);
    this.#window = Math.min(firstWindow, limits.concurrency);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Its latest attempt succeeded: the next one is likely to be short. */
  get isProven(): boolean {
    return this.#isProven;
  }

  get restsUntil(): number | null {
    return this.#breaker.kind === "open" ? this.#breaker.until : null;
  }

  setLimits(limits: HealthLimits): void {
    const hasMoved = limits.url !== this.#limits.url;
    this.#limits = limits;
    this.#window = Math.min(this.#window, limits.concurrency);
    if (hasMoved) this.reset();
  }

  /** Forgets what it knows: the endpoint was turned off or has moved, and what comes back may be another. */
  reset(): void {
    this.#breaker = { kind: "closed" };
    this.#window = Math.min(firstWindow, this.#limits.concurrency);
    this.#recent.clear();
    this.#isProven = false;
  }

  /** How many attempts may begin now. Changes nothing. */
  room(now: number): number {
    if (this.#breaker.kind === "open") return now >= this.#breaker.until && this.#inFlight === 0 ? 1 : 0;
    return Math.max(Math.min(this.#window - this.#inFlight, this.#gate.room(now, this.#rate(now))), 0);
  }

  /** When there is room again by the passing of time alone; null when only a result can make it. */
  roomAt(now: number): number | null {
    if (this.#breaker.kind === "open") return this.#inFlight === 0 ? this.#breaker.until : null;
    return this.#window > this.#inFlight ? this.#gate.nextAt(now, this.#rate(now)) : null;
  }

  began(now: number): void {
    this.#inFlight += 1;
    this.#gate.take(1, now, this.#rate(now));
  }

  /** An attempt that ended without saying anything of the endpoint: it was interrupted. */
  dropped(): void {
    this.#inFlight -= 1;
  }

  ended(isSuccess: boolean, now: number): HealthChange {
    this.#inFlight -= 1;
    this.#isProven = isSuccess;
    this.#recent.add(isSuccess, now);
    return isSuccess ? this.#succeeded(now) : this.#failed(now);
  }

  #succeeded(now: number): HealthChange {
    if (this.#breaker.kind === "open") {
      this.#breaker = { kind: "recovering", since: now };
      this.#window = 1;
      this.#recent.clear();
      return "recovered";
    }
    if (this.#breaker.kind === "recovering" && releaseRate(now - this.#breaker.since) === Infinity)
      this.#breaker = { kind: "closed" };
    this.#window = Math.min(this.#window + 1, this.#limits.concurrency);
    return "none";
  }

  #failed(now: number): HealthChange {
    this.#window = Math.max(1, this.#window >> 1);
    if (this.#breaker.kind === "open") {
      // Only the probe is judged; attempts from before the rest began say nothing new.
      if (now < this.#breaker.until) return "none";
      return this.#rest(now, Math.min(this.#breaker.restMs * 2, longestRestMs));
    }
    const { failed, all } = this.#recent.counts(now);
    const { breakerMinAttempts, breakerFailurePercent, breakerRestMs } = this.#options;
    if (all < breakerMinAttempts || failed * 100 < all * breakerFailurePercent) return "none";
    return this.#rest(now, breakerRestMs);
  }

  #rest(now: number, restMs: number): HealthChange {
    const wasOpen = this.#breaker.kind === "open";
    this.#breaker = { kind: "open", until: now + restMs, restMs };
    return wasOpen ? "none" : "rested";
  }

  #rate(now: number): number {
    const release = this.#breaker.kind === "recovering" ? releaseRate(now - this.#breaker.since) : Infinity;
    return Math.min(release, this.#limits.ratePerSecond);
  }
}

/** Attempts at once to an endpoint that has not shown yet what it can take. */
export const firstWindow = 2;

/** Rests double up to this. */
export const longestRestMs = 600_000;

/** Attempts per second so long after a recovery: 10, doubled each second, unlimited after ten seconds. */
export function releaseRate(sinceMs: number): number {
  return sinceMs >= 10_000 ? Infinity : 10 * 2 ** Math.floor(sinceMs / 1_000);
}

const bucketMs = 10_000;
const buckets = 30;

/** Results of the last five minutes, in thirty buckets. */
class RecentResults {
  readonly #failed: number[] = new Array<number>(buckets).fill(0);
  readonly #all: number[] = new Array<number>(buckets).fill(0);
  #newest = 0;

  add(isSuccess: boolean, now: number): void {
    this.#turnTo(Math.floor(now / bucketMs));
    const slot = this.#newest % buckets;
    this.#all[slot] = (this.#all[slot] ?? 0) + 1;
    if (!isSuccess) this.#failed[slot] = (this.#failed[slot] ?? 0) + 1;
  }

  counts(now: number): { readonly failed: number; readonly all: number } {
    this.#turnTo(Math.floor(now / bucketMs));
    return { failed: sum(this.#failed), all: sum(this.#all) };
  }

  clear(): void {
    this.#failed.fill(0);
    this.#all.fill(0);
  }

  #turnTo(bucket: number): void {
    if (bucket - this.#newest >= buckets) this.clear();
    else
      for (let next = this.#newest + 1; next <= bucket; next += 1)
        this.#all[next % buckets] = this.#failed[next % buckets] = 0;
    this.#newest = Math.max(this.#newest, bucket);
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
