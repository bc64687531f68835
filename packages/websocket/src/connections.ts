import {
  compileFilter,
  type AnyBroker,
  type Clock,
  type DrainPlan,
  type Filter,
  type Gap,
  type Position,
  type SubscribeOptions,
  type Subscriber,
  type Subscription,
  type Timer,
  formatPosition,
} from "@starcast/core";
import type { Entrance, Grant, Visit } from "@starcast/core/gateway";
import type { ConnectionHost } from "./connection-host.ts";
import type { Connection } from "./connection.ts";
import type { Dialect } from "./dialect.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { ResolvedWebSocketOptions } from "./options.ts";
import { joinFrames, pingFrame } from "./text-frame.ts";

/** All connections of a gateway: what they share, and how they end together. */
export class Connections implements ConnectionHost {
  readonly clock: Clock;
  readonly options: ResolvedWebSocketOptions;
  readonly #broker: AnyBroker;
  readonly #entrance: Entrance;
  readonly #members = new Set<Connection>();
  readonly #heartbeat: Heartbeat;
  #lastBeat: { readonly dialect: Dialect; readonly offset: number; readonly at: number; readonly bytes: Uint8Array } | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(broker: AnyBroker, entrance: Entrance, options: ResolvedWebSocketOptions) {
    this.clock = broker.surroundings.clock;
    this.options = options;
    this.#broker = broker;
    this.#entrance = entrance;
    this.#heartbeat = new Heartbeat(broker.surroundings, lookEveryMs);
  }

  get size(): number {
    return this.#members.size;
  }

  add(connection: Connection): void {
    this.#members.add(connection);
    this.#heartbeat.add(connection);
  }

  /** When a connection that begins now is too old: drawn, so that those which came together do not leave together. */
  drawEndsAt(): number {
    return this.clock.now() + this.options.maxAgeMs * (1 - ageSpread + 2 * ageSpread * this.#broker.surroundings.random.next());
  }

  drawReconnectMs(): number {
    return Math.round(minReconnectMs + (maxReconnectMs - minReconnectMs) * this.#broker.surroundings.random.next());
  }

  attach(subscriber: Subscriber, options: SubscribeOptions): Subscription {
    return this.#broker.attach(subscriber, options);
  }

  check(asked: Filter, within: Filter): void {
    compileFilter(asked, within);
  }

  renew(visit: Visit, token: string, identity: string | null): Promise<Grant | null> {
    return this.#entrance.renew(visit, token, identity);
  }

  heartbeat(dialect: Dialect, position: Position, now: number): Uint8Array {
    const last = this.#lastBeat;
    if (last !== null && last.at === now && last.offset === position.offset && last.dialect === dialect) return last.bytes;
    const frame = dialect.clientFrame("client.heartbeat", { position: formatPosition(position) }, new Date(now).toISOString());
    const bytes = joinFrames([pingFrame, frame]);
    this.#lastBeat = { dialect, offset: position.offset, at: now, bytes };
    return bytes;
  }

  /** Tells everybody to leave, spread over the plan; ends who has not gone at its deadline. Resolves with what was left undone. */
  async drain({ spreadMs, deadline }: DrainPlan): Promise<readonly string[]> {
    const leavers = [...this.#members];
    const startedAt = this.clock.now();
    let told = 0;
    // What was published last is delivered in the next turn.
    await this.#emptyOrAfter(0);
    while (this.#members.size > 0 && this.clock.now() < deadline) {
      const share = spreadMs === 0 ? 1 : Math.min(1, (this.clock.now() - startedAt + drainStepMs) / spreadMs);
      for (const due = Math.ceil(leavers.length * share); told < due; told += 1) leavers[told]?.leave("restart", this.drawReconnectMs());
      await this.#emptyOrAfter(Math.min(drainStepMs, deadline - this.clock.now()));
    }
    const stuck = this.#members.size;
    for (const connection of [...this.#members]) connection.destroy("restart");
    return stuck === 0 ? [] : [`${this.options.name}: ${stuck} connections were ended before they had answered`];
  }

  onOpened({ clientId }: Connection, isResumed: boolean): void {
    this.#broker.observe({ kind: "clientConnected", level: "info", gateway: this.options.name, clientId, isResumed });
  }

  onGapped({ clientId }: Connection, gap: Gap): void {
    this.#broker.observe({ kind: "clientGapped", level: "info", gateway: this.options.name, clientId, gap });
  }

  onStalled({ clientId }: Connection, stalledMs: number): void {
    this.#broker.observe({ kind: "clientStalled", level: "warn", gateway: this.options.name, clientId, stalledMs });
  }

  onClosed(connection: Connection, reason: string, code: number | null): void {
    const { clientId } = connection;
    this.#heartbeat.delete(connection);
    this.#members.delete(connection);
    this.#broker.observe({ kind: "clientClosed", level: "info", gateway: this.options.name, clientId, reason, code });
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
      timer = this.#broker.surroundings.scheduler.after(ms, this.#onEmpty, { holdsProcess: true });
    });
  }
}

/** Looks at connections come at most this late. */
const lookEveryMs = 1_000;

/** How far the age of one connection lies from the option. */
const ageSpread = 0.2;

/** How finely a drain is spread. */
const drainStepMs = 20;

/** Clients that were sent away come back within this time. */
const minReconnectMs = 500;
const maxReconnectMs = 5_000;
