import type { Clock, Surroundings, Timer } from "../clock.ts";
import { isStarcastError } from "../errors.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Position } from "../log/position.ts";
import type { Cursor } from "../pump/cursor.ts";
import type { Pump } from "../pump/pump.ts";
import type { StartingPoint } from "../pump/starting-point.ts";
import type { Observers } from "../observe/observers.ts";
import { steadyClock } from "../steady-clock.ts";
import type { CheckpointStore, Lease } from "../store/checkpoint-store.ts";
import type { Durability, Registration } from "./registration.ts";

export interface NamedSubscriptionOptions {
  readonly name: string;
  readonly registration: Registration;
  /** The end of the one that had this name before and is still finishing: the lease is free then, not only in a while. */
  readonly predecessor: Promise<void> | undefined;
  readonly checkpoints: CheckpointStore;
  readonly log: EventLog;
  readonly pump: Pump;
  /** Where it starts when the name was never saved. */
  readonly from: StartingPoint;
  readonly maxReplayEvents: number;
  readonly leaseMs: number;
  readonly surroundings: Surroundings;
  readonly observers: Observers;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "holding"; readonly lease: Lease; readonly cursor: Cursor }
  | { readonly kind: "closed" };

/** A durable subscription: its place is kept under a name, and moved by the one holder of the name's lease. */
export class NamedSubscription implements Durability {
  readonly #options: NamedSubscriptionOptions;
  readonly #registeredAt: Position;
  readonly #clock: Clock;
  #state: State = { kind: "waiting" };
  #timer: Timer | null = null;
  #acquiring: Promise<void> | null = null;
  #releasing: Promise<void> | null = null;
  #saved = -1;
  #saving: Promise<void> | null = null;
  #renewedAt = 0;

  constructor(options: NamedSubscriptionOptions) {
    this.#options = options;
    this.#clock = steadyClock(options.surroundings.clock);
    this.#registeredAt = { epoch: options.log.epoch, offset: options.log.head };
    options.registration.durability = this;
    this.#acquire();
    void options.predecessor?.then(() => this.#acquire());
  }

  // The subscriber is closed before the lease is given back: in between it must not be opened any more.
  get #isEnding(): boolean {
    return this.#state.kind === "closed" || this.#options.registration.isClosed;
  }

  #acquire(): void {
    if (this.#state.kind !== "waiting" || this.#isEnding) return;
    this.#acquiring ??= this.#tryAcquire().finally(() => (this.#acquiring = null));
  }

  async #tryAcquire(): Promise<void> {
    const { checkpoints, name, leaseMs } = this.#options;
    const askedAt = this.#clock.now();
    let lease: Lease | null = null;
    try {
      lease = await checkpoints.acquire(name, leaseMs);
      if (lease === null) return this.#later(() => this.#acquire());
      // A name never saved starts here: were it not kept at once, a crash would move its start past what is published now.
      const from = lease.position ?? this.#firstPlace();
      if (lease.position === null && typeof from !== "string" && !this.#isEnding) await checkpoints.save(lease, from);
      if (this.#isEnding) return await checkpoints.release(lease);
      this.#renewedAt = askedAt;
      this.#hold(lease, from);
    } catch (error) {
      this.#report(error);
      // Kept, it would be in the way of the next try.
      if (lease !== null) await checkpoints.release(lease).catch((failed: unknown) => this.#report(failed));
      this.#later(() => this.#acquire());
    }
  }

  #firstPlace(): StartingPoint {
    const { from } = this.#options;
    return from === "latest" ? this.#registeredAt : from;
  }

  #hold(lease: Lease, from: StartingPoint): void {
    const { pump, registration, maxReplayEvents } = this.#options;
    const { subscriber, filter } = registration;
    const cursor = pump.add({ subscriber, from, maxReplayEvents, owner: registration }, filter);
    registration.cursor = cursor;
    this.#saved = -1;
    this.#state = { kind: "holding", lease, cursor };
    this.#later(() => void this.#renew());
  }

  release(): Promise<void> {
    return (this.#releasing ??= this.#release());
  }

  get lease(): Lease | null {
    return this.#state.kind === "holding" ? this.#state.lease : null;
  }

  /** Saves as often as saving takes: one at a time, always the newest place. */
  acknowledged(saved: number | null): void {
    // A save that is under way may come after the subscriber's own: then the place is saved once more.
    if (saved !== null && this.#saving === null) this.#saved = saved;
    this.#saving ??= this.#save().finally(() => (this.#saving = null));
  }

  async #save(): Promise<void> {
    const { checkpoints, log } = this.#options;
    for (;;) {
      const state = this.#state;
      if (state.kind !== "holding") return;
      const offset = state.cursor.safeOffset;
      if (offset === null || offset === this.#saved) return;
      try {
        await checkpoints.save(state.lease, { epoch: log.epoch, offset });
        this.#saved = offset;
      } catch (error) {
        if (isStarcastError(error, "lease_lost")) this.#lose(state.cursor);
        else this.#report(error);
        return;
      }
    }
  }

  async #renew(): Promise<void> {
    const { checkpoints, leaseMs } = this.#options;
    const state = this.#state;
    if (state.kind !== "holding") return;
    const askedAt = this.#clock.now();
    try {
      await checkpoints.renew(state.lease, leaseMs);
      this.#renewedAt = askedAt;
      // What the filter left out is not acknowledged by anybody; its place is kept now and then.
      this.acknowledged(null);
    } catch (error) {
      if (isStarcastError(error, "lease_lost")) return this.#lose(state.cursor);
      this.#report(error);
      // Past its end another holder may move the place: better silent than two.
      if (this.#clock.now() - this.#renewedAt >= leaseMs) return this.#lose(state.cursor);
    }
    this.#later(() => void this.#renew());
  }

  #lose(cursor: Cursor): void {
    if (this.#state.kind !== "holding" || this.#state.cursor !== cursor) return;
    const { registration, observers, name } = this.#options;
    this.#state = { kind: "waiting" };
    observers.tell({ kind: "leaseLost", level: "warn", name });
    this.#later(() => this.#acquire());
    // Last: the subscriber may close its subscription because of it.
    registration.suspend();
  }

  async #release(): Promise<void> {
    const { checkpoints, log } = this.#options;
    this.#timer?.cancel();
    await this.#acquiring;
    await this.#saving;
    const state = this.#state;
    this.#state = { kind: "closed" };
    // What was on its way meanwhile may have set another.
    this.#timer?.cancel();
    if (state.kind !== "holding") return;
    try {
      const offset = state.cursor.safeOffset;
      if (offset !== null && offset !== this.#saved) await checkpoints.save(state.lease, { epoch: log.epoch, offset });
      await checkpoints.release(state.lease);
    } catch (error) {
      this.#report(error);
    }
  }

  #later(run: () => void): void {
    if (this.#state.kind === "closed") return;
    this.#timer?.cancel();
    this.#timer = this.#options.surroundings.scheduler.after(this.#options.leaseMs / 3, run);
  }

  #report(error: unknown): void {
    const { observers, name } = this.#options;
    observers.tell({ kind: "checkpointFailed", level: "warn", name, error });
  }
}
