import type { DrainPlan } from "../broker/any-broker.ts";
import type { Surroundings, Timer } from "../clock.ts";
import { Heartbeat, type Beating } from "./heartbeat.ts";

/** A connection as far as its end is concerned. */
export interface Leaving extends Beating {
  /** Tells the client to leave, and begins the close. Idempotent. */
  leaveForRestart(): void;
  /** Ends it at once. Idempotent; the set is told by `delete`. */
  destroyForRestart(): void;
}

/** The open connections of a gateway: one timer for all of them, and an end together. */
export class ConnectionSet<Connection extends Leaving> {
  readonly #surroundings: Surroundings;
  readonly #members = new Set<Connection>();
  readonly #heartbeat: Heartbeat;
  #onEmpty: (() => void) | null = null;

  /** Connections are looked at at most `lookEveryMs` late. */
  constructor(surroundings: Surroundings, lookEveryMs: number) {
    this.#surroundings = surroundings;
    this.#heartbeat = new Heartbeat(surroundings, lookEveryMs);
  }

  get size(): number {
    return this.#members.size;
  }

  add(connection: Connection): void {
    this.#members.add(connection);
    this.#heartbeat.add(connection);
  }

  delete(connection: Connection): void {
    this.#heartbeat.delete(connection);
    this.#members.delete(connection);
    if (this.#members.size === 0) this.#onEmpty?.();
  }

  /** Tells everybody to leave, spread over the plan; ends who has not gone at its deadline. Resolves with how many that were. */
  async drain({ spreadMs, deadline }: DrainPlan): Promise<number> {
    const { clock } = this.#surroundings;
    const leavers = [...this.#members];
    const startedAt = clock.now();
    let told = 0;
    while (this.#members.size > 0 && clock.now() < deadline) {
      const share = spreadMs === 0 ? 1 : Math.min(1, (clock.now() - startedAt + stepMs) / spreadMs);
      for (const due = Math.ceil(leavers.length * share); told < due; told += 1) leavers[told]?.leaveForRestart();
      await this.#emptyOrAfter(Math.min(stepMs, deadline - clock.now()));
    }
    const stuck = this.#members.size;
    for (const connection of [...this.#members]) connection.destroyForRestart();
    return stuck;
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

/** How finely a drain is spread. */
const stepMs = 20;
