import {
  formatPosition,
  type Batch,
  type Clock,
  type CloseReason,
  type Encoding,
  type Gap,
  type Line,
  type Position,
  type Subscriber,
  type Subscription,
} from "@starcast/core";
import { Standstill, type Leaving, type Seat } from "@starcast/core/gateway";
import type { ClientFrameType, ClientFrames, WireState } from "@starcast/core/wire";
import { clientBlock, comment, streamEncoding, type StreamFormat } from "./event-stream.ts";
import { httpChunk, inChunks } from "./http-chunk.ts";
import type { Sink, SinkOwner } from "./sink.ts";

/** Why a connection ended; as far as the client can be told, it is told before. */
export type LeaveReason = "restart" | "max_age" | "unauthorized" | "forbidden" | "failed" | "too_slow" | "client_gone";

/** What all connections of a gateway have in common. */
export interface ConnectionHost {
  /** For how long something takes; the time of day is in `timestamp`. */
  readonly clock: Clock;
  /** What times are counted from: as small integers they take no memory of their own. */
  readonly since: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly tokenGraceMs: number;
  /** What keeps it from being up to date, if anything does. */
  readonly state: WireState | undefined;
  timestamp(): string;
  /** A random time after which a client comes back. */
  drawRetryMs(): number;
  onOpened(connection: Connection, isResumed: boolean): void;
  onGapped(connection: Connection, gap: Gap): void;
  onStalled(connection: Connection, stalledMs: number): void;
  /** Called once, last. */
  onClosed(connection: Connection, reason: LeaveReason): void;
}

export interface ConnectionSpec {
  readonly clientId: string;
  /** Its place in the counts of connections, left when it is over. */
  readonly seat: Seat;
  readonly format: StreamFormat;
  /** True when it starts where no gap can be told: then the first frame already says where to resume. */
  readonly isStartCertain: boolean;
  readonly retryMs: number;
  readonly endsAt: number;
  readonly expiresAt: number;
}

/** One connected client: a place in the log and a response, nothing else. */
export class Connection implements Subscriber, SinkOwner, Leaving {
  // What every event touches comes first, so that it lies in one cache line.
  #state: "opening" | "open" | "leaving" | "over" = "opening";
  /** Null while it takes everything. */
  #full: Standstill | null = null;
  #sink: Sink = noSink;
  #encoding: Encoding;
  /** The position the client would resume from; heartbeats tell when it moved without events. -1: the next one tells. */
  #toldOffset = -1;
  readonly clientId: string;
  readonly #host: ConnectionHost;
  readonly seat: Seat;
  readonly #format: StreamFormat;
  readonly #isStartCertain: boolean;
  readonly #retryMs: number;
  #subscription: Subscription | null = null;
  #line: Line | null = null;
  #leaveReason: LeaveReason = "client_gone";
  /** Since `host.since`, like the next. */
  #beatAfterMs: number;
  #endsAfterMs: number;
  /** Null when its grant does not end. */
  #expiresAt: number | null;

  constructor(host: ConnectionHost, spec: ConnectionSpec) {
    // Copied one by one: an object more per connection is memory more per connection.
    this.clientId = spec.clientId;
    this.#host = host;
    this.seat = spec.seat;
    this.#format = spec.format;
    this.#isStartCertain = spec.isStartCertain;
    this.#retryMs = spec.retryMs;
    this.#encoding = streamEncoding(spec.format);
    // A difference of large numbers stays one inside V8, until it is rounded.
    this.#endsAfterMs = Math.round(spec.endsAt - host.since);
    this.#expiresAt = spec.expiresAt === Infinity ? null : spec.expiresAt;
    this.#beatAfterMs = Math.round(host.clock.now() - host.since) + host.heartbeatMs;
  }

  /** One that is full is looked at each time: it may not move. */
  get dueAt(): number {
    if (this.#full !== null) return 0;
    return Math.min(this.#host.since + Math.min(this.#beatAfterMs, this.#endsAfterMs), this.#expiresAt ?? Infinity);
  }

  get position(): Position | null {
    return this.#line?.position ?? null;
  }

  get unsentBytes(): number {
    return this.#full === null ? 0 : this.#sink.unsentBytes;
  }

  /** The registration it ends with. */
  set subscription(subscription: Subscription) {
    this.#subscription = subscription;
  }

  /** From now on everything goes to the sink; MUST come before the turn in which the line is opened. */
  start(sink: Sink): void {
    this.#sink = sink;
    if (sink.isChunked) this.#encoding = inChunks(streamEncoding(this.#format));
    sink.owner = this;
  }

  open(line: Line): void {
    this.#line = line;
    if (this.#state !== "opening") return;
    this.#state = "open";
    const { position, isResumed } = line.start;
    const data = {
      clientId: this.clientId,
      position: formatPosition(position),
      resumed: isResumed,
      heartbeatMs: this.#host.heartbeatMs,
      state: this.#host.state,
    };
    // An id here would let a client whose connection breaks now resume behind the gap it was about to be told.
    const isCertain = isResumed || this.#isStartCertain;
    this.#tell("client.connected", data, isCertain ? position : null, this.#retryMs);
    this.#host.onOpened(this, isResumed);
  }

  deliver(batch: Batch): number {
    if (this.#full !== null || this.#state !== "open") return 0;
    const { events } = batch;
    let taken = 0;
    while (taken < events.length) {
      const piece = batch.piece(this.#encoding, taken);
      taken += piece.count;
      if (!this.#write(piece.bytes)) break;
    }
    if (this.#toldOffset >= 0) this.#toldOffset = events[taken - 1]?.offset ?? this.#toldOffset;
    return taken;
  }

  gap(gap: Gap): void {
    if (this.#state !== "open") return;
    const after = gap.after === null ? null : formatPosition(gap.after);
    this.#tell("client.gap", { after, through: formatPosition(gap.through), reason: gap.reason }, gap.through);
    this.#host.onGapped(this, gap);
  }

  close(reason: CloseReason): void {
    if (reason !== "unsubscribed") this.leave(reason === "broker_closed" ? "restart" : "failed", this.#retryMs);
  }

  onRoom(): void {
    if (this.#state === "leaving") return;
    this.#full = null;
    this.#line?.ready();
  }

  onGone(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#unsubscribe();
    this.seat.leave();
    this.#host.onClosed(this, this.#leaveReason);
  }

  beat(now: number): void {
    const { since, stallMs, heartbeatMs, tokenGraceMs } = this.#host;
    const passedMs = now - since;
    const stalledMs = this.#full?.lastsMs(now, this.#sink.unsentBytes) ?? 0;
    if (stalledMs >= stallMs) return this.#stall(stalledMs);
    const isExpired = this.#expiresAt !== null && now >= this.#expiresAt;
    if (passedMs >= this.#endsAfterMs) return isExpired ? this.leave("unauthorized", null) : this.leave("max_age", 0);
    if (isExpired) {
      this.#endsAfterMs = Math.min(this.#endsAfterMs, passedMs + tokenGraceMs);
      // Who does not read now hears of it as soon as it does.
      if (this.#full === null) this.#tellClosing("unauthorized", null);
    }
    if (passedMs >= this.#beatAfterMs) {
      this.#beatAfterMs = Math.max(this.#beatAfterMs, Math.round(passedMs - heartbeatMs / 2)) + heartbeatMs;
      if (this.#full === null) this.#sendHeartbeat();
    }
  }

  tellState(): void {
    const position = this.#state === "open" ? this.#line?.position : undefined;
    if (position === undefined) return;
    // Who does not read is told with the first heartbeat after it.
    if (this.#full !== null) this.#toldOffset = -1;
    else this.#tell("client.heartbeat", { position: formatPosition(position), state: this.#host.state }, position);
  }

  isReaching(position: Position): boolean {
    if (this.#state !== "open") return this.#state === "opening";
    // Who has not read for so long will hardly begin while the server ends.
    if ((this.#full?.lastsMs(this.#host.clock.now(), this.#sink.unsentBytes) ?? 0) > patienceMs) return false;
    return this.#line !== null && this.#line.position.offset < position.offset;
  }

  leaveForRestart(): void {
    this.leave("restart", this.#host.drawRetryMs());
  }

  destroyForRestart(): void {
    this.destroy("restart");
  }

  /** Tells the client when to come back (null: not by itself), if it is listening, and ends the response. */
  leave(reason: LeaveReason, reconnectInMs: number | null): void {
    if (this.#state === "leaving" || this.#state === "over") return;
    if (this.#full !== null) return this.destroy(reason);
    this.#tellClosing(reason, reconnectInMs);
    this.#state = "leaving";
    this.#unsubscribe();
    // What was written last has as long to leave as anything else.
    this.#full = new Standstill(this.#host.clock.now(), this.#sink.unsentBytes);
    this.#sink.end();
  }

  /** Ends the connection at once. */
  destroy(reason: LeaveReason): void {
    if (this.#state === "over") return;
    if (this.#state !== "leaving") this.#leaveReason = reason;
    this.#state = "leaving";
    this.#sink.destroy();
    this.onGone();
  }

  // Once: whose grant has ended knows it when the grace is over.
  #tellClosing(reason: LeaveReason, reconnectInMs: number | null): void {
    if (this.#leaveReason === reason) return;
    this.#leaveReason = reason;
    this.#tell("client.closing", { reason, reconnectInMs }, null, reconnectInMs ?? undefined);
  }

  #stall(stalledMs: number): void {
    const isLeaving = this.#state === "leaving";
    if (!isLeaving) this.#host.onStalled(this, stalledMs);
    this.destroy("too_slow");
  }

  #sendHeartbeat(): void {
    const isNews = this.#host.state !== undefined || this.#line?.position.offset !== this.#toldOffset;
    if (this.#line !== null && isNews) this.tellState();
    else this.#write(this.#sink.isChunked ? commentChunk : comment);
  }

  #tell<Type extends ClientFrameType>(
    type: Type,
    data: ClientFrames[Type],
    position: Position | null = null,
    retryMs?: number,
  ): void {
    const timestamp = this.#host.timestamp();
    const id = position === null ? undefined : formatPosition(position);
    const block = clientBlock({ type, timestamp, data, id, retryMs }, this.#format);
    if (position !== null) this.#toldOffset = position.offset;
    this.#write(this.#sink.isChunked ? httpChunk(block) : block);
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#sink.write(bytes)) return true;
    this.#full ??= new Standstill(this.#host.clock.now(), this.#sink.unsentBytes);
    return false;
  }

  #unsubscribe(): void {
    this.#line = null;
    const subscription = this.#subscription;
    this.#subscription = null;
    // Its promise is that of our own `close`, which has nothing to wait for.
    if (subscription !== null) void subscription.close();
  }
}

/** How long a draining gateway waits for a client that does not read what was written. */
const patienceMs = 2_000;

const commentChunk = httpChunk(comment);

// Before the head is written there is nowhere to write to.
const noSink: Sink = {
  isChunked: false,
  owner: null,
  unsentBytes: 0,
  write: () => false,
  end: () => undefined,
  destroy: () => undefined,
};
