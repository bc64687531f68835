import type { Clock, Scheduler, Timer } from "@starcast/core";
import type { AnswerLimits } from "./answer-reader.ts";
import type { Connecting } from "./guarded-connect.ts";
import { HttpConnection } from "./http-connection.ts";

export interface EndpointConnectionsOptions {
  readonly origin: string;
  readonly limits: AnswerLimits;
  readonly connect: () => Connecting;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly maxIdle: number;
}

/** An idle connection is kept for the next event of a burst, not for the next hour. */
export const idleSocketMs = 4_000;

/** Idle connections are given up so long before the receiver says that it ends them, for what is on its way. */
const spareMs = 1_000;

/** The connections to one endpoint: each carries one request at a time, and is kept a while for the next. */
export class EndpointConnections {
  readonly origin: string;
  /** As requests name it. */
  readonly host: string;
  readonly #options: EndpointConnectionsOptions;
  /** Most recently used last: those at the front grow old. */
  readonly #idle: HttpConnection[] = [];
  readonly #all = new Set<HttpConnection>();
  #timer: Timer | null = null;
  #isRetired = false;
  readonly #onGone: (() => void)[] = [];

  constructor(options: EndpointConnectionsOptions) {
    this.origin = options.origin;
    this.host = new URL(options.origin).host;
    this.#options = options;
  }

  /** One that carries nothing. */
  take(): HttpConnection {
    const now = this.#options.clock.now();
    for (let known = this.#idle.pop(); known !== undefined; known = this.#idle.pop()) {
      // One whose receiver has just closed it stands here until its socket says so.
      if (!known.isEnded && known.idleUntil > now) return known;
      known.end("reset");
    }
    const { limits, connect } = this.#options;
    const made = new HttpConnection({ limits, connect, onGone: (connection) => this.#forget(connection) });
    this.#all.add(made);
    return made;
  }

  /** Its request was answered, and the receiver keeps it for so long. */
  release(connection: HttpConnection, keepMs: number): void {
    const forMs = Math.min(keepMs - spareMs, idleSocketMs);
    if (this.#isRetired || this.#idle.length >= this.#options.maxIdle || forMs <= 0) return connection.end("reset");
    connection.idleUntil = this.#options.clock.now() + forMs;
    this.#idle.push(connection);
    if (this.#timer === null) this.#arm();
  }

  /** Idle connections end; those that carry a request end with it. */
  retire(): void {
    this.#isRetired = true;
    this.#timer?.cancel();
    for (const connection of this.#idle.splice(0)) connection.end("reset");
  }

  /** Everything ends at once; requests under way fail as `interrupted`. */
  destroy(): void {
    this.retire();
    for (const connection of this.#all) connection.end("interrupted");
  }

  /** Nothing of it is left. */
  get isGone(): boolean {
    return this.#isRetired && this.#all.size === 0;
  }

  /** Resolves when nothing of it is left; only after `retire`. */
  async ended(): Promise<void> {
    if (!this.isGone) await new Promise<void>((resolve) => this.#onGone.push(resolve));
  }

  #forget(connection: HttpConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.isGone) for (const resolve of this.#onGone.splice(0)) resolve();
  }

  #arm(): void {
    this.#timer = this.#options.scheduler.after(idleSocketMs, () => {
      this.#timer = null;
      const now = this.#options.clock.now();
      for (const connection of this.#idle.filter(({ idleUntil }) => idleUntil <= now)) connection.end("reset");
      if (this.#idle.length > 0) this.#arm();
    });
  }
}
