import type { Clock, Filter, Gap, Position, SubscribeOptions, Subscriber, Subscription } from "@starcast/core";
import type { Accepted, Grant, Visit } from "@starcast/core/gateway";
import type { ClientFrames, WireState } from "@starcast/core/wire";
import type { CompressedStream } from "./compression/compressed-stream.ts";
import type { Connection } from "./connection.ts";
import type { Timing } from "./deadlines.ts";
import type { Dialect } from "./dialect.ts";
import type { ResolvedWebSocketOptions } from "./options.ts";

/** What all connections of a gateway have in common, so that none of them carries it. */
export interface ConnectionHost {
  /** For how long something takes; the time of day is in `timestamp`. */
  readonly clock: Clock;
  readonly options: ResolvedWebSocketOptions;
  readonly timing: Timing;
  /** What keeps it from being up to date, if anything does. */
  readonly state: WireState | undefined;
  /** Null when there is no room for a subscriber, or the broker is closed. */
  attach(subscriber: Subscriber, options: SubscribeOptions): Subscription | null;
  /** False when a pattern is malformed, or there are too many. */
  isFilter(asked: Filter, within: Filter): boolean;
  timestamp(): string;
  /** When a grant ends, on the clock. */
  endOf(grant: Grant): number;
  /** Judges a new token; null refuses. Never rejects. */
  renew(visit: Visit, token: string, identity: string | null): Promise<Grant | null>;
  aliveAt(position: Position): ClientFrames["client.heartbeat"];
  /** A ping and a heartbeat, one after the other; connections at one place share the bytes. */
  heartbeat(dialect: Dialect, position: Position, now: number): Uint8Array;
  /** After which time a client that has to leave comes back: drawn, so that not all come at once. */
  drawReconnectMs(): number;
  onOpened(connection: Connection, isResumed: boolean): void;
  onGapped(connection: Connection, gap: Gap): void;
  onStalled(connection: Connection, stalledMs: number): void;
  /** Called once, last. `code` is that of the close frame that ended it, if one did. */
  onClosed(connection: Connection, reason: string, code: number | null): void;
}

/** How one connection begins. */
export interface ConnectionSpec {
  readonly accepted: Accepted;
  readonly dialect: Dialect;
  /** For judging a new token; null when the grant does not end. */
  readonly visit: Visit | null;
  /** When it is too old. */
  readonly endsAt: number;
  /** Where its events come from compressed; null when that was not agreed. */
  readonly stream: CompressedStream | null;
}
