import { isStarcastError, steadyClock, type AnyBroker, type Claim, type Clock, type Timer } from "@starcast/core";
import { tryDelivery, type AttemptTools, type Tried } from "./attempt.ts";
import { judgeAttempt, type Verdict } from "./delivery.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { LiveEndpoint } from "./endpoint.ts";
import { EndpointHealth, type HealthChange } from "./endpoint-health.ts";
import type { ResolvedWebhookDispatcherOptions } from "./options.ts";
import { outcomeAtOldAddress } from "./outcome.ts";
import { Slots } from "./slots.ts";

export interface DeliveryLoopOptions {
  readonly broker: AnyBroker;
  readonly endpoints: EndpointRecords;
  readonly tools: AttemptTools;
  readonly options: ResolvedWebhookDispatcherOptions;
  /** Told of every attempt, after the store was; without a verdict when that did not keep it. */
  readonly onTried: (endpoint: LiveEndpoint, claim: Claim, tried: Tried, verdict: Verdict | null) => void;
}

/** Claims outlive the attempt's deadline by this, so that a busy process does not lose what it is just finishing. */
export const leaseSpareMs = 15_000;

/** After a claim that found some, for what becomes due while they are tried: whoever hangs must hold up nobody else. */
const lookAgainMs = 100;

/** Who waits for a rate gets up to so long later what it allows: all endpoints are looked at no more often for that. */
const rateWaitMs = 10;

/** Wait after the store refused a claim; what was under way goes on. */
const storeWaitMs = 1_000;

/**
 * Takes what is due from the store and tries it, as much at once as each endpoint can take. Sleeps until something is due
 * or an endpoint has room again; woken by new work and by every attempt that ends. While all that is left can be taken, only
 * endpoints of which something changed are looked at: with thousands, looking at all for every attempt cost more than it.
 */
export class DeliveryLoop {
  readonly #context: DeliveryLoopOptions;
  /** For how long something takes, and what endpoints are allowed; when a delivery is due is a time of day. */
  readonly #clock: Clock;
  readonly #health = new Map<string, EndpointHealth>();
  readonly #slots: Slots;
  #timer: Timer | null = null;
  /** When it goes off. */
  #wakesAt = Infinity;
  #state: "idle" | "waking" | "claiming" | "claiming_again" = "idle";
  #mode: "open" | "finishing" | "closed" = "open";
  #isDry = false;
  /** Where there may be something to claim since the last look. */
  #changed: Set<string> | "anywhere" = "anywhere";
  readonly #onQuiet: (() => void)[] = [];
  readonly #onEnded: (() => void)[] = [];

  constructor(context: DeliveryLoopOptions) {
    this.#context = context;
    this.#clock = steadyClock(context.broker.surroundings.clock);
    this.#slots = new Slots(context.options.maxInFlight);
  }

  get inFlight(): number {
    return this.#slots.taken;
  }

  /** There may be something to claim, of these endpoints or of any. Cheap: many calls in one turn are one look into the store. */
  wake(endpointIds: Iterable<string> | "anywhere" = "anywhere"): void {
    if (endpointIds === "anywhere") this.#changed = "anywhere";
    else if (this.#changed !== "anywhere") for (const id of endpointIds) this.#changed.add(id);
    if (this.#mode === "closed" || this.#state === "waking" || this.#state === "claiming_again") return;
    if (this.#state === "claiming") {
      this.#state = "claiming_again";
      return;
    }
    this.#state = "waking";
    this.#context.broker.surroundings.scheduler.nextTurn(() => void this.#claim());
  }

  /** The endpoint was changed, or removed. */
  refresh(id: string): void {
    const endpoint = this.#context.endpoints.find(id);
    if (endpoint === undefined) this.#health.delete(id);
    else {
      const health = this.#health.get(id);
      health?.setLimits(endpoint.record);
      if (endpoint.record.state.kind !== "active") health?.reset();
    }
    this.wake([id]);
  }

  /** Resolves when nothing is under way; with `tries`, not before everything that can be tried now was. Claims nothing afterwards. */
  async finish(options: { readonly tries: boolean }): Promise<void> {
    if (!options.tries) this.#mode = "finishing";
    this.wake();
    if (!this.#isQuiet) await new Promise<void>((resolve) => this.#onQuiet.push(resolve));
    if (this.#mode === "open") this.#mode = "finishing";
  }

  /** Nothing more is claimed; what is under way is the caller's to end. Resolves when it has ended. */
  async close(): Promise<void> {
    this.#mode = "closed";
    this.#timer?.cancel();
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.#onEnded.push(resolve));
    this.#settle(this.#onQuiet);
  }

  get #isQuiet(): boolean {
    return this.inFlight === 0 && this.#state === "idle" && (this.#isDry || this.#mode !== "open");
  }

  async #claim(): Promise<void> {
    do {
      this.#state = "claiming";
      if (this.#mode !== "open") break;
      const changed = this.#changed;
      this.#changed = new Set();
      try {
        const limit = this.#slots.free;
        const claims = limit <= 0 ? [] : await this.#claimDue(changed, limit);
        for (const claim of claims) void this.#try(claim);
        // There may be more than could be taken: whose turn it is then is for the store to say.
        const isMore = claims.length >= limit;
        if (isMore) this.#changed = "anywhere";
        if (claims.length > 0) this.#isDry = false;
        else if (changed === "anywhere" && !isMore) this.#isDry = true;
        if (isMore && limit > 0) this.#state = "claiming_again";
        else if (this.#wasWokenAgain) continue;
        else if (this.#isDry && changed === "anywhere") this.#sleepFor(await this.#waitMs());
        else this.#sleepAtMost(changed === "anywhere" ? [] : changed);
      } catch (error) {
        this.#changed = "anywhere";
        this.#tellStoreFailed("claimDue", error);
        this.#sleepFor(storeWaitMs);
        break;
      }
    } while (this.#wasWokenAgain);
    this.#state = "idle";
    if (this.#isQuiet) this.#settle(this.#onQuiet);
  }

  async #claimDue(changed: Iterable<string> | "anywhere", limit: number): Promise<readonly Claim[]> {
    const { broker, options } = this.#context;
    return await broker.store.deliveries.claimDue({
      now: broker.surroundings.clock.now(),
      limit,
      perEndpoint: (id) => this.#room(id),
      endpointIds: changed === "anywhere" ? undefined : [...changed],
      leaseMs: options.attempt.deadlineMs + leaseSpareMs,
      onDamaged: (endpointId, error) =>
        broker.observe({ kind: "webhookDeliveryDamaged", level: "warn", endpointId, error }),
    });
  }

  // Changed by `wake` while the store was being asked; a getter, because the compiler believes otherwise.
  get #wasWokenAgain(): boolean {
    return this.#state === "claiming_again";
  }

  /** Never rejects. */
  async #try(claim: Claim): Promise<void> {
    const { endpointId } = claim.delivery;
    const endpoint = this.#context.endpoints.find(endpointId);
    const health = endpoint === undefined ? null : this.#healthOf(endpoint);
    const taker = { isProven: health?.isProven ?? true };
    this.#slots.take(taker);
    if (endpoint === undefined || health === null || this.#mode === "closed") await this.#giveBack(claim);
    else {
      health.began(this.#clock.now());
      const tried = await tryDelivery(endpoint, claim.delivery.event, this.#context.tools);
      if (tried.isInterrupted) {
        health.dropped();
        await this.#giveBack(claim);
      } else {
        this.#tellHealth(endpoint, health.ended(tried.outcome.kind !== "retry", this.#clock.now()));
        // The endpoint has room for the next one while a durable store still commits this one.
        this.wake([endpointId]);
        await this.#record(endpoint, claim, tried);
      }
    }
    this.#slots.giveBack(taker);
    // Who waits for quiet is told by a look that finds nothing anywhere.
    this.wake(this.#onQuiet.length > 0 ? "anywhere" : [endpointId]);
    if (this.inFlight === 0) this.#settle(this.#onEnded);
  }

  #tellHealth({ record }: LiveEndpoint, change: HealthChange): void {
    if (change === "none") return;
    const { broker } = this.#context;
    const endpointId = record.id;
    const restMs = (this.#health.get(endpointId)?.restsUntil ?? 0) - this.#clock.now();
    const untilMs = broker.surroundings.clock.now() + Math.max(restMs, 0);
    if (change === "rested") broker.observe({ kind: "webhookEndpointRested", level: "warn", endpointId, untilMs });
    else broker.observe({ kind: "webhookEndpointRecovered", level: "info", endpointId });
  }

  async #record(endpoint: LiveEndpoint, claim: Claim, tried: Tried): Promise<void> {
    const { broker, endpoints, options, onTried } = this.#context;
    const { deliveries } = broker.store;
    const { clock, random } = broker.surroundings;
    const { id, url } = endpoint.record;
    const outcome = endpoints.find(id)?.record.url === url ? tried.outcome : outcomeAtOldAddress(tried.outcome);
    const verdict = judgeAttempt(outcome, claim.delivery.attemptCount + 1, options.scheduleMs, random);
    let isKept = true;
    try {
      if (verdict.kind === "succeed") await deliveries.succeed(claim, tried.attempt);
      else if (verdict.kind === "retry") await deliveries.retryAt(claim, tried.attempt, clock.now() + verdict.waitMs);
      else await deliveries.bury(claim, tried.attempt, verdict.reason);
    } catch (error) {
      isKept = false;
      // Claimed again elsewhere, or removed: the other one reports. Anything else: the claim's lease ends, and it is
      // sent again with the same id.
      if (!isStarcastError(error, "stale_claim")) this.#tellStoreFailed(verdict.kind, error);
    }
    onTried(endpoint, claim, tried, isKept ? verdict : null);
  }

  async #giveBack(claim: Claim): Promise<void> {
    const { broker } = this.#context;
    try {
      await broker.store.deliveries.release(claim, broker.surroundings.clock.now());
    } catch (error) {
      this.#tellStoreFailed("release", error);
    }
  }

  #room(id: string): number {
    const endpoint = this.#context.endpoints.find(id);
    if (endpoint === undefined || endpoint.record.state.kind !== "active") return 0;
    const health = this.#healthOf(endpoint);
    const room = health.room(this.#clock.now());
    return room > 0 && this.#slots.isOpenTo(health) ? room : 0;
  }

  #healthOf({ record }: LiveEndpoint): EndpointHealth {
    let health = this.#health.get(record.id);
    if (health === undefined) {
      health = new EndpointHealth(this.#context.options.health, record, this.#clock.now());
      this.#health.set(record.id, health);
    }
    return health;
  }

  /** How long nothing may be claimed unless somebody wakes the loop: a delivery is due, a rest ends, a rate allows one more. */
  async #waitMs(): Promise<number> {
    const { broker, endpoints } = this.#context;
    const dueAt = (await broker.store.deliveries.nextDueAt((id) => this.#room(id) > 0)) ?? Infinity;
    let waitMs = dueAt - broker.surroundings.clock.now();
    const now = this.#clock.now();
    for (const [id, health] of this.#health) {
      if (endpoints.find(id)?.record.state.kind !== "active" || health.room(now) > 0) continue;
      waitMs = Math.min(waitMs, (health.roomAt(now) ?? Infinity) - now);
    }
    return waitMs;
  }

  /** Something was found a moment ago; these endpoints were looked at. */
  #sleepAtMost(endpointIds: Iterable<string>): void {
    const now = this.#clock.now();
    let waitMs = lookAgainMs;
    for (const id of endpointIds) {
      const roomAt = this.#health.get(id)?.roomAt(now) ?? Infinity;
      if (roomAt > now) waitMs = Math.min(waitMs, Math.max(roomAt - now, rateWaitMs));
    }
    if (this.#wakesAt > now + waitMs) this.#sleepFor(waitMs);
  }

  #sleepFor(waitMs: number): void {
    this.#timer?.cancel();
    this.#wakesAt = this.#clock.now() + waitMs;
    if (waitMs === Infinity || this.#mode !== "open") return;
    this.#timer = this.#context.broker.surroundings.scheduler.after(Math.max(waitMs, 1), () => {
      this.#wakesAt = Infinity;
      this.wake();
    });
  }

  #settle(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  #tellStoreFailed(operation: string, error: unknown): void {
    this.#context.broker.observe({ kind: "webhookStoreFailed", level: "warn", operation, error });
  }
}
