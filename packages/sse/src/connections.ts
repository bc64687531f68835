import type { AnyBroker, DrainPlan, Gap, Surroundings, Timer } from "@starcast/core";
import { Connection, type ConnectionHost, type ConnectionSpec, type LeaveReason } from "./connection.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { ResolvedSseOptions } from "./options.ts";

/** All connections of a gateway: what they share, and how they end together. */
export class Connections implements ConnectionHost {
  readonly surroundings: Surroundings;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly tokenGraceMs: number;
  readonly #broker: AnyBroker;
  readonly #options: ResolvedSseOptions;
  readonly #members = new Set<Connection>();
  readonly #heartbeat: Heartbeat;
  #onEmpty: (() => void) | null = null;

  constructor(broker: AnyBroker, options: ResolvedSseOptions) {
    this.surroundings = broker.surroundings;
    this.heartbeatMs = options.heartbeatMs;
    this.stallMs = options.stallMs;
    this.tokenGraceMs = options.gateway.tokenGraceMs;
    this.#broker = broker;
    this.#options = options;
    const everyMs = Math.min(longestLookMs, options.heartbeatMs / looksPerBeat);
    this.#heartbeat = new Heartbeat(broker.surroundings, everyMs, this.#members);
  }

  get size(): number {
    return this.#members.size;
  }

  /** A connection with its times drawn, not yet counted. */
  make(spec: Omit<ConnectionSpec, "retryMs" | "endsAt">): Connection {
    const { clock, random } = this.surroundings;
    const { maxAgeMs } = this.#options;
    const ageMs = maxAgeMs * (1 - ageSpread + 2 * ageSpread * random.next());
    return new Connection(this, { ...spec, retryMs: this.drawRetryMs(), endsAt: clock.now() + ageMs });
  }

  add(connection: Connection): void {
    this.#members.add(connection);
    this.#heartbeat.start();
  }

  /** A random time after which a client comes back. */
  drawRetryMs(): number {
    const { minMs, maxMs } = this.#options.retry;
    return Math.round(minMs + (maxMs - minMs) * this.surroundings.random.next());
  }

  /**
   * Tells everybody to leave, spread over the plan, once they have what was published before; who lags gets half the
   * time. Ends who has not gone at the deadline; resolves with what was left undone.
   */
  async drain({ spreadMs, deadline }: DrainPlan): Promise<readonly string[]> {
    const { clock } = this.surroundings;
    const startedAt = clock.now();
    const patientUntil = startedAt + (deadline - startedAt) / 2;
    const total = this.#members.size;
    let told = 0;
    let waiting = [...this.#members];
    while (this.#members.size > 0 && clock.now() < deadline) {
      const now = clock.now();
      const due = spreadMs === 0 ? total : Math.ceil(total * Math.min(1, (now - startedAt + stepMs) / spreadMs));
      const head = this.#broker.position;
      const stayers: Connection[] = [];
      for (const connection of waiting) {
        if (told >= due || (now < patientUntil && !connection.hasReached(head))) {
          stayers.push(connection);
          continue;
        }
        told += 1;
        connection.leave("restart", this.drawRetryMs());
      }
      waiting = stayers;
      await this.#emptyOrAfter(Math.min(stepMs, deadline - now));
    }
    const stuck = this.#members.size;
    for (const connection of [...this.#members]) connection.destroy("restart");
    return stuck === 0
      ? []
      : [`${this.#options.name}: ${stuck} connections were ended before they had read everything`];
  }

  onOpened({ clientId }: Connection, isResumed: boolean): void {
    this.#broker.observe({ kind: "clientConnected", level: "info", gateway: this.#options.name, clientId, isResumed });
  }

  onGapped({ clientId }: Connection, gap: Gap): void {
    this.#broker.observe({ kind: "clientGapped", level: "info", gateway: this.#options.name, clientId, gap });
  }

  onStalled({ clientId }: Connection, stalledMs: number): void {
    this.#broker.observe({ kind: "clientStalled", level: "warn", gateway: this.#options.name, clientId, stalledMs });
  }

  onClosed(connection: Connection, reason: LeaveReason): void {
    const { clientId } = connection;
    this.#members.delete(connection);
    if (this.#members.size === 0) this.#heartbeat.stop();
    this.#broker.observe({
      kind: "clientClosed",
      level: "info",
      gateway: this.#options.name,
      clientId,
      reason,
      code: null,
    });
    if (this.#members.size === 0) this.#onEmpty?.();
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
      timer = this.surroundings.scheduler.after(ms, this.#onEmpty, { holdsProcess: true });
    });
  }
}

/** How far the age of one connection lies from the option, so that those which came together do not leave together. */
const ageSpread = 0.2;

/** A look is late by at most a fifteenth of the heartbeat, and never more than a second. */
const looksPerBeat = 15;
const longestLookMs = 1_000;

/** How finely a drain is spread. */
const stepMs = 20;
