import type { DrainPlan } from "../broker/any-broker.ts";
import type { Clock, Surroundings, Timer } from "../clock.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Position } from "../log/position.ts";
import { steadyClock } from "../steady-clock.ts";
import type { WireState } from "../wire/frames.ts";
import type { Seat } from "./admission.ts";
import { slowestOf, type ClientLag, type Placed } from "./client-lag.ts";
import type { Grant } from "./grant.ts";
import { Heartbeat, type Beating } from "./heartbeat.ts";

/** A connection as far as its place and its end are concerned. */
export interface Leaving extends Beating, Placed {
  /** Says whose it is. */
  readonly seat: Seat;
  /** Tells the client that what keeps the gateway from being up to date has changed. */
  tellState(): void;
  /** True while the client is still getting what it lacks up to this position: a drain waits for it, for a while. */
  isReaching?(position: Position): boolean;
  /** Tells the client to leave, and begins the close. Idempotent. */
  leaveForRestart(): void;
  /** Ends it at once. Idempotent; the set is told by `delete`. */
  destroyForRestart(): void;
}

/** The open connections of a gateway: one timer for all of them, and an end together. */
export class ConnectionSet<Connection extends Leaving> {
  /** What its connections go by: nobody sets it back. */
  readonly clock: Clock;
  readonly #surroundings: Surroundings;
  readonly #log: Pick<EventLog, "isReachable">;
  readonly #members = new Set<Connection>();
  readonly #heartbeat: Heartbeat;
  #state: WireState | undefined;
  #onEmpty: (() => void) | null = null;

  /** Connections are looked at at most `lookEveryMs` late, and the log as often. */
  constructor(surroundings: Surroundings, lookEveryMs: number, log: Pick<EventLog, "isReachable">) {
    this.#surroundings = surroundings;
    this.#log = log;
    this.clock = steadyClock(surroundings.clock);
    const { clock } = this;
    this.#heartbeat = new Heartbeat({ ...surroundings, clock }, lookEveryMs, this.#members, () => this.#lookAtLog());
  }

  /** What every client of the set has been told, or is to be told when it comes in. */
  get state(): WireState | undefined {
    return this.#state;
  }

  get size(): number {
    return this.#members.size;
  }

  /** When a grant ends, on the clock of the set. A time of day is what it says; how long that is, is judged now. */
  endOf({ expiresAt = Infinity }: Grant): number {
    return this.clock.now() + expiresAt - this.#surroundings.clock.now();
  }

  add(connection: Connection): void {
    // Nobody looked while nobody was there.
    if (this.#members.size === 0) this.#state = stateOf(this.#log);
    this.#members.add(connection);
    this.#heartbeat.start();
  }

  delete(connection: Connection): void {
    this.#members.delete(connection);
    if (this.#members.size > 0) return;
    this.#heartbeat.stop();
    this.#onEmpty?.();
  }

  /** The connections of one identity. */
  of(identity: string): readonly Connection[] {
    return [...this.#members].filter(({ seat }) => seat.identity === identity);
  }

  /** At most so many of those that are behind the head, the furthest first. */
  slowest(head: Position, count: number): readonly ClientLag[] {
    return slowestOf(this.#members, head, count);
  }

  /**
   * Tells everybody to leave, spread over the plan; with `head`, once they have everything up to there, for which half
   * of the time is given. Ends who has not gone at the deadline; resolves with how many that were.
   */
  async drain({ spreadMs, deadline }: DrainPlan, head: Position | null = null): Promise<number> {
    const { clock } = this;
    const startedAt = clock.now();
    const endsAt = startedAt + deadline - this.#surroundings.clock.now();
    const patientUntil = (startedAt + endsAt) / 2;
    const total = this.#members.size;
    let told = 0;
    let waiting = [...this.#members];
    while (this.#members.size > 0 && clock.now() < endsAt) {
      const now = clock.now();
      const due = spreadMs === 0 ? total : Math.ceil(total * Math.min(1, (now - startedAt + stepMs) / spreadMs));
      const stayers: Connection[] = [];
      for (const connection of waiting) {
        const isLagging = head !== null && now < patientUntil && connection.isReaching?.(head) === true;
        if (told >= due || isLagging) {
          stayers.push(connection);
          continue;
        }
        told += 1;
        connection.leaveForRestart();
      }
      waiting = stayers;
      await this.#emptyOrAfter(Math.min(stepMs, endsAt - now));
    }
    const stuck = this.#members.size;
    for (const connection of [...this.#members]) connection.destroyForRestart();
    return stuck;
  }

  #lookAtLog(): void {
    const state = stateOf(this.#log);
    if (state === this.#state) return;
    this.#state = state;
    for (const member of this.#members) member.tellState();
  }

  #emptyOrAfter(ms: number): Promise<void> {
    if (this.#members.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: Timer | null = null;
      this.#onEmpty = () => {
        timer?.cancel();
        this.#onEmpty = null;
        resolve();
      };
      timer = this.#surroundings.scheduler.after(ms, this.#onEmpty, { holdsProcess: true });
    });
  }
}

function stateOf({ isReachable = true }: Pick<EventLog, "isReachable">): WireState | undefined {
  return isReachable ? undefined : "store_unreachable";
}

/** How finely a drain is spread. */
const stepMs = 20;
