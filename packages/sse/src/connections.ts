import type { AnyBroker, Clock, DrainPlan, Gap } from "@starcast/core";
import { ConnectionSet, type ClientLag, type Grant, type Tally } from "@starcast/core/gateway";
import type { WireState } from "@starcast/core/wire";
import { Connection, type ConnectionHost, type ConnectionSpec, type LeaveReason } from "./connection.ts";
import type { ResolvedSseOptions } from "./options.ts";

/** All connections of a gateway: what they share, and how they end together. */
export class Connections implements ConnectionHost {
  readonly clock: Clock;
  readonly since: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly tokenGraceMs: number;
  readonly #broker: AnyBroker;
  readonly #options: ResolvedSseOptions;
  readonly #tally: Tally;
  readonly #set: ConnectionSet<Connection>;

  constructor(broker: AnyBroker, tally: Tally, options: ResolvedSseOptions) {
    const lookEveryMs = Math.min(longestLookMs, options.heartbeatMs / looksPerBeat);
    this.#set = new ConnectionSet(broker.surroundings, lookEveryMs, broker.store.log);
    this.clock = this.#set.clock;
    this.since = this.clock.now();
    this.heartbeatMs = options.heartbeatMs;
    this.stallMs = options.stallMs;
    this.tokenGraceMs = options.gateway.tokenGraceMs;
    this.#broker = broker;
    this.#options = options;
    this.#tally = tally;
  }

  get size(): number {
    return this.#set.size;
  }

  get state(): WireState | undefined {
    return this.#set.state;
  }

  /** A connection with its times drawn, not yet counted. */
  make(grant: Grant, spec: Omit<ConnectionSpec, "retryMs" | "endsAt" | "expiresAt">): Connection {
    const { maxAgeMs } = this.#options;
    const ageMs = maxAgeMs * (1 - ageSpread + 2 * ageSpread * this.#broker.surroundings.random.next());
    const endsAt = this.clock.now() + ageMs;
    return new Connection(this, { ...spec, retryMs: this.drawRetryMs(), endsAt, expiresAt: this.#set.endOf(grant) });
  }

  add(connection: Connection): void {
    this.#set.add(connection);
  }

  slowest(count: number): readonly ClientLag[] {
    return this.#set.slowest(this.#broker.position, count);
  }

  /** Ends the connections of an identity for good; how many there were. */
  revoke(identity: string): number {
    const revoked = this.#set.of(identity);
    for (const connection of revoked) connection.leave("forbidden", null);
    return revoked.length;
  }

  timestamp(): string {
    return new Date(this.#broker.surroundings.clock.now()).toISOString();
  }

  /** A random time after which a client comes back. */
  drawRetryMs(): number {
    const { minMs, maxMs } = this.#options.retry;
    return Math.round(minMs + (maxMs - minMs) * this.#broker.surroundings.random.next());
  }

  /** Tells everybody to leave, once they have what was published before; resolves with what was left undone. */
  async drain(plan: DrainPlan): Promise<readonly string[]> {
    const stuck = await this.#set.drain(plan, this.#broker.position);
    return stuck === 0
      ? []
      : [`${this.#options.name}: ${stuck} connections were ended before they had read everything`];
  }

  onOpened({ clientId }: Connection, isResumed: boolean): void {
    this.#tally.opened(clientId, isResumed);
  }

  onGapped({ clientId }: Connection, gap: Gap): void {
    this.#tally.gapTold(clientId, gap);
  }

  onStalled({ clientId }: Connection, stalledMs: number): void {
    this.#tally.stalled(clientId, stalledMs);
  }

  onClosed(connection: Connection, reason: LeaveReason): void {
    this.#set.delete(connection);
    this.#tally.closed(connection.clientId, reason, null);
  }
}

/** How far the age of one connection lies from the option, so that those which came together do not leave together. */
const ageSpread = 0.2;

/** A look is late by at most a fifteenth of the heartbeat, and never more than a second. */
const looksPerBeat = 15;
const longestLookMs = 1_000;
