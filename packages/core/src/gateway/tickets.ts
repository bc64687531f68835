import { realSurroundings, type Clock } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import { checkKeys, integer } from "../option-checks.ts";
import { steadyClock } from "../steady-clock.ts";
import { checkGrant, type Grant } from "./grant.ts";

export interface TicketOptions {
  /** How long a ticket may be redeemed: enough to open a connection, too short to be worth stealing. @default 30_000 */
  readonly ttlMs?: number | undefined;
  /** Tickets out at a time; beyond, `issue` throws `overloaded`. @default 10_000 */
  readonly maxOutstanding?: number | undefined;
  /** @default the real one */
  readonly clock?: Clock | undefined;
}

/**
 * One-time tickets for clients that can neither set a header nor send a cookie: a page that has a session asks its
 * server for one, and opens the stream with it in the URL, where a token would end up in logs. In this process only.
 */
export class Tickets {
  readonly #ttlMs: number;
  readonly #maxOutstanding: number;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #outstanding = new Map<string, { readonly grant: Grant; readonly until: number }>();

  constructor(options: TicketOptions = {}) {
    checkKeys("TicketOptions", options, ["ttlMs", "maxOutstanding", "clock"]);
    this.#ttlMs = integer("ttlMs", options.ttlMs, defaults.ttlMs, { min: 1_000, max: 3_600_000 });
    this.#maxOutstanding = integer("maxOutstanding", options.maxOutstanding, defaults.maxOutstanding, {
      min: 1,
      max: Infinity,
    });
    this.#clock = steadyClock(options.clock ?? realSurroundings.clock);
  }

  /** A new ticket for this grant: 32 characters that may stand in a URL. Throws `overloaded`, `invalid_option`, `invalid_filter`. */
  issue(grant: Grant): string {
    const now = this.#clock.now();
    this.#forgetUntil(now);
    if (this.#outstanding.size >= this.#maxOutstanding) {
      throw new StarcastError(
        "overloaded",
        `Expected fewer than ${this.#maxOutstanding} tickets that were not redeemed (maxOutstanding)`,
      );
    }
    const ticket = drawTicket();
    this.#outstanding.set(ticket, { grant: checkGrant(grant), until: now + this.#ttlMs });
    return ticket;
  }

  /** The grant of a ticket that is redeemed in time for the first time, else null: what `authorize` returns. */
  redeem(ticket: string | null | undefined): Grant | null {
    const key = ticket ?? "";
    const found = this.#outstanding.get(key);
    if (found === undefined) return null;
    this.#outstanding.delete(key);
    return found.until > this.#clock.now() ? found.grant : null;
  }

  /** Takes back what this identity has not redeemed. */
  revoke(identity: string): void {
    for (const [ticket, { grant }] of this.#outstanding)
      if (grant.identity === identity) this.#outstanding.delete(ticket);
  }

  #forgetUntil(now: number): void {
    for (const [ticket, { until }] of this.#outstanding) {
      if (until > now) return;
      this.#outstanding.delete(ticket);
    }
  }
}

const defaults = Object.freeze({ ttlMs: 30_000, maxOutstanding: 10_000 });

interface Host {
  readonly crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };
}

// Web Crypto is in every runtime this runs in. Of 256 byte values each of the 32 letters has 8.
function drawTicket(): string {
  const { crypto } = globalThis as unknown as Host;
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => letters[byte % letters.length]).join("");
}

// 32 letters of 5 bits: 160 bits in all, which nobody guesses.
const letters = "0123456789abcdefghjkmnpqrstvwxyz";
