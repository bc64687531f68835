import {
  compileFilter,
  formatPosition,
  isStarcastError,
  type AnyBroker,
  type Clock,
  type DrainPlan,
  type Filter,
  type Gap,
  type Position,
  type SubscribeOptions,
  type Subscriber,
  type Subscription,
} from "@starcast/core";
import {
  ConnectionSet,
  type ClientLag,
  type Entrance,
  type Grant,
  type Tally,
  type Visit,
} from "@starcast/core/gateway";
import type { ClientFrames, WireState } from "@starcast/core/wire";
import type { ConnectionHost } from "./connection-host.ts";
import type { Connection } from "./connection.ts";
import type { Timing } from "./deadlines.ts";
import type { Dialect } from "./dialect.ts";
import type { ResolvedWebSocketOptions } from "./options.ts";
import { joinFrames, pingFrame } from "./text-frame.ts";

/** All connections of a gateway: what they share, and how they end together. */
export class Connections implements ConnectionHost {
  readonly clock: Clock;
  readonly options: ResolvedWebSocketOptions;
  readonly timing: Timing;
  readonly #broker: AnyBroker;
  readonly #entrance: Entrance;
  readonly #tally: Tally;
  readonly #set: ConnectionSet<Connection>;
  #lastBeat: {
    readonly dialect: Dialect;
    readonly offset: number;
    readonly at: number;
    readonly bytes: Uint8Array;
  } | null = null;

  constructor(broker: AnyBroker, entrance: Entrance, options: ResolvedWebSocketOptions) {
    this.#set = new ConnectionSet(broker.surroundings, lookEveryMs, broker.store.log);
    this.clock = this.#set.clock;
    this.options = options;
    const { heartbeatMs, pongTimeoutMs, gateway } = options;
    this.timing = Object.freeze({
      since: this.clock.now(),
      heartbeatMs,
      pongTimeoutMs,
      tokenGraceMs: gateway.tokenGraceMs,
    });
    this.#broker = broker;
    this.#entrance = entrance;
    this.#tally = entrance.tally;
  }

  get size(): number {
    return this.#set.size;
  }

  get state(): WireState | undefined {
    return this.#set.state;
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

  /** When a connection that begins now is too old: drawn, so that those which came together do not leave together. */
  drawEndsAt(): number {
    return (
      this.clock.now() +
      this.options.maxAgeMs * (1 - ageSpread + 2 * ageSpread * this.#broker.surroundings.random.next())
    );
  }

  drawReconnectMs(): number {
    return Math.round(minReconnectMs + (maxReconnectMs - minReconnectMs) * this.#broker.surroundings.random.next());
  }

  attach(subscriber: Subscriber, options: SubscribeOptions): Subscription | null {
    try {
      return this.#broker.attach(subscriber, options);
    } catch (error) {
      if (isStarcastError(error, "overloaded") || isStarcastError(error, "broker_closed")) return null;
      throw error;
    }
  }

  timestamp(): string {
    return new Date(this.#broker.surroundings.clock.now()).toISOString();
  }

  endOf(grant: Grant): number {
    return this.#set.endOf(grant);
  }

  isFilter(asked: Filter, within: Filter): boolean {
    try {
      compileFilter(asked, within);
      return true;
    } catch (error) {
      if (isStarcastError(error, "invalid_filter")) return false;
      throw error;
    }
  }

  renew(visit: Visit, token: string, identity: string | null): Promise<Grant | null> {
    return this.#entrance.renew(visit, token, identity);
  }

  aliveAt(position: Position): ClientFrames["client.heartbeat"] {
    return { position: formatPosition(position), state: this.state };
  }

  heartbeat(dialect: Dialect, position: Position, now: number): Uint8Array {
    const last = this.#lastBeat;
    if (last !== null && last.at === now && last.offset === position.offset && last.dialect === dialect)
      return last.bytes;
    const frame = dialect.clientFrame("client.heartbeat", this.aliveAt(position), this.timestamp());
    const bytes = joinFrames([pingFrame, frame]);
    this.#lastBeat = { dialect, offset: position.offset, at: now, bytes };
    return bytes;
  }

  /** Tells everybody to leave, spread over the plan; ends who has not gone at its deadline. Resolves with what was left undone. */
  async drain(plan: DrainPlan): Promise<readonly string[]> {
    // What was published last is delivered in the next turn.
    await new Promise<void>((resolve) => {
      this.#broker.surroundings.scheduler.nextTurn(resolve);
    });
    const stuck = await this.#set.drain(plan);
    return stuck === 0 ? [] : [`${this.options.name}: ${stuck} connections were ended before they had answered`];
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

  onClosed(connection: Connection, reason: string, code: number | null): void {
    this.#set.delete(connection);
    this.#tally.closed(connection.clientId, reason, code);
  }
}

/** Looks at connections come at most this late. */
const lookEveryMs = 1_000;

/** How far the age of one connection lies from the option. */
const ageSpread = 0.2;

/** Clients that were sent away come back within this time. */
const minReconnectMs = 500;
const maxReconnectMs = 5_000;
