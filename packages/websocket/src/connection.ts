import { formatPosition, type Batch, type CloseReason, type Filter, type Gap, type Line, type Subscriber, type Subscription } from "@starcast/core";
import { grantedFilter, readPlace, type Accepted, type Grant, type Visit } from "@starcast/core/gateway";
import { closeCodes, type ClientFrameType, type ClientFrames, type ClientOperation, type CloseReasonName } from "@starcast/core/wire";
import type { Duplex } from "node:stream";
import { readClientMessage } from "./client-message.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { Dialect } from "./dialect.ts";
import type { Watched } from "./heartbeat.ts";
import { Inbound, type InboundOwner } from "./inbound.ts";
import { bindSocket, unsentBytes, writeTo, type SocketOwner } from "./socket-writer.ts";
import { closeFrame, joinFrames, pongFrame } from "./text-frame.ts";

export interface ConnectionSpec {
  readonly accepted: Accepted;
  readonly dialect: Dialect;
  /** For judging a new token; null when the grant does not end. */
  readonly visit: Visit | null;
  /** When it is too old. */
  readonly endsAt: number;
}

/** One connected client: a place in the log and a socket, nothing else. */
export class Connection implements Subscriber, SocketOwner, InboundOwner, Watched {
  dueAt: number;
  readonly #host: ConnectionHost;
  readonly #socket: Duplex;
  readonly #spec: ConnectionSpec;
  #state: "opening" | "open" | "closing" | "over" = "opening";
  #grant: Grant;
  #asked: Filter;
  #subscription: Subscription | null = null;
  #line: Line | null = null;
  #inbound: Inbound | null = null;
  /** Since when nothing has left; null while there is room. */
  #fullSince: number | null = null;
  #unsent = 0;
  /** Bytes of answers written behind what has not left. */
  #replyBytes = 0;
  #beatAt: number;
  #pongBy = Infinity;
  #expiresAt = Infinity;
  #endsAt: number;
  #endsAs: CloseReasonName = "try_later";
  #isRenewing = false;
  #reason = "connection_lost";
  #code: number | null = null;

  constructor(host: ConnectionHost, socket: Duplex, spec: ConnectionSpec) {
    const now = host.clock.now();
    const { grant, subscribe } = spec.accepted;
    this.#host = host;
    this.#socket = socket;
    this.#spec = spec;
    this.#grant = grant;
    this.#asked = { types: subscribe.types, subjects: subscribe.subjects };
    this.#beatAt = now + host.options.heartbeatMs;
    this.#endsAt = now + openingTimeoutMs;
    this.dueAt = this.#endsAt;
  }

  get clientId(): string {
    return this.#spec.accepted.clientId;
  }

  /** The handshake is written; the subscription was made in this turn, so that nothing was delivered yet. */
  start(subscription: Subscription): void {
    this.#subscription = subscription;
    bindSocket(this.#socket, this);
  }

  open(line: Line): void {
    this.#line = line;
    const { position, isResumed } = line.start;
    if (this.#state === "open") return this.#tellSubscribed(formatPosition(position));
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#expiresAt = this.#grant.expiresAt ?? Infinity;
    this.#endsAs = "restart";
    this.#endsAt = this.#spec.endsAt;
    const { heartbeatMs } = this.#host.options;
    this.#tell("client.connected", { clientId: this.clientId, position: formatPosition(position), resumed: isResumed, heartbeatMs });
    this.#host.onOpened(this, isResumed);
    this.dueAt = this.#nextLook(this.#host.clock.now());
    // Only now can a client's operations be done.
    this.#socket.resume();
  }

  deliver(batch: Batch): number {
    if (this.#fullSince !== null || this.#state !== "open") return 0;
    const { encoding } = this.#spec.dialect;
    const count = batch.events.length;
    let taken = 0;
    while (taken < count) {
      const piece = batch.piece(encoding, taken);
      taken += piece.count;
      if (!this.#write(piece.bytes)) break;
    }
    return taken;
  }

  gap(gap: Gap): void {
    const after = gap.after === null ? null : formatPosition(gap.after);
    this.#tell("client.gap", { after, through: formatPosition(gap.through), reason: gap.reason });
    this.#host.onGapped(this, gap);
  }

  close(reason: CloseReason): void {
    // What this connection itself ended, to begin anew or because it is over, is no news.
    if (reason === "unsubscribed") return;
    this.leave(reason === "broker_closed" ? "restart" : "failed", this.#host.drawReconnectMs());
  }

  look(now: number): void {
    if (this.#state === "closing") {
      if (now >= this.#endsAt) this.destroy(this.#reason);
      return;
    }
    if (this.#isStalled(now)) return this.#stall(now);
    const isFull = this.#fullSince !== null;
    if (now >= this.#pongBy && !isFull) return this.destroy("pong_timeout");
    if (now >= this.#expiresAt) {
      this.#expiresAt = Infinity;
      this.#endsAs = "unauthorized";
      this.#endsAt = Math.min(this.#endsAt, now + this.#host.options.gateway.tokenGraceMs);
      this.#tell("client.closing", { reason: "unauthorized", reconnectInMs: null });
    }
    if (now >= this.#endsAt) return this.leave(this.#endsAs, this.#endsAs === "unauthorized" ? null : this.#host.drawReconnectMs());
    if (now >= this.#beatAt) this.#beat(now, isFull);
    this.dueAt = this.#nextLook(now);
  }

  /** Says goodbye with a close frame, and, if the client can be told when to come back, with that before; nothing is written after it. */
  leave(reason: CloseReasonName, reconnectInMs?: number | null): void {
    if (this.#state === "closing" || this.#state === "over") return;
    const { code } = closeCodes[reason];
    const goodbye = closeFrame(code, reason);
    const isTold = this.#state === "open" && reconnectInMs !== undefined && this.#fullSince === null;
    this.#end(reason, code, isTold ? joinFrames([this.#frame("client.closing", { reason, reconnectInMs }), goodbye]) : goodbye);
  }

  /** Ends the connection at once. */
  destroy(reason: string): void {
    if (this.#state !== "closing") this.#reason = reason;
    this.#socket.destroy();
    this.onGone();
  }

  onRoom(): void {
    this.#fullSince = null;
    this.#replyBytes = 0;
    if (this.#state !== "open") return;
    const now = this.#host.clock.now();
    // What it could not read it could not answer.
    if (this.#pongBy !== Infinity) this.#pongBy = Math.max(this.#pongBy, now + this.#host.options.pongTimeoutMs);
    this.dueAt = this.#nextLook(now);
    this.#line?.ready();
  }

  onData(chunk: Uint8Array): void {
    if (this.#state === "over") return;
    // Most clients never send more than answers to pings: they need no parser.
    if (this.#inbound === null && this.#pongBy !== Infinity && isOnePong(chunk)) return this.onPong();
    this.#inbound ??= new Inbound(this, this.#host.options.inbound, this.#host.clock);
    this.#inbound.push(chunk);
  }

  onFinished(): void {
    if (this.#state === "closing") this.#hangUp();
    else this.destroy("connection_lost");
  }

  onGone(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#unsubscribe();
    this.#spec.accepted.seat.leave();
    this.#host.onClosed(this, this.#reason, this.#code);
  }

  onText(text: string): void {
    if (this.#state !== "open") return;
    const message = readClientMessage(text);
    if (message.kind === "refused") this.#refuse(message.op, message.code);
    else if (message.operation.op === "subscribe") this.#subscribe(message.operation);
    else this.#renew(message.operation.token);
  }

  onPing(payload: Uint8Array): void {
    if (this.#state === "open") this.#reply(pongFrame(payload));
  }

  onPong(): void {
    this.#pongBy = Infinity;
  }

  onCloseFrame(code: number): void {
    if (this.#state === "open") this.#end("client_left", code, closeFrame(code === noCode ? null : code));
    this.#hangUp();
  }

  onViolation(reason: CloseReasonName): void {
    this.leave(reason);
    this.#hangUp();
  }

  #subscribe({ types, subjects, after }: ClientOperation & { readonly op: "subscribe" }): void {
    const asked = { types, subjects };
    const within = grantedFilter(this.#grant);
    if (this.#line === null) return this.#refuse("subscribe", "busy");
    try {
      this.#host.check(asked, within);
    } catch {
      // The one thing it throws; the client is told.
      return this.#refuse("subscribe", "invalid_filter");
    }
    this.#asked = asked;
    if (after === undefined) return this.#refilter();
    // From another place it is another life: judged, and told of gaps, as when it connected.
    this.#unsubscribe();
    const maxReplayEvents = this.#grant.replayEvents ?? this.#host.options.gateway.maxReplayEvents;
    try {
      this.#subscription = this.#host.attach(this, { ...asked, within, from: readPlace(after), maxReplayEvents });
    } catch {
      // No room for a subscriber, or a broker that is closing: it comes back, and finds it.
      this.leave("try_later", this.#host.drawReconnectMs());
    }
  }

  #refilter(): void {
    const position = this.#subscription?.setFilter({ ...this.#asked, within: grantedFilter(this.#grant) });
    // Before its place is known, `open` tells it.
    if (this.#line !== null && position !== undefined) this.#tellSubscribed(formatPosition(position));
  }

  #tellSubscribed(position: string): void {
    const { types = null, subjects = null } = this.#asked;
    this.#tell("client.subscribed", { types, subjects, position });
  }

  #renew(token: string): void {
    const { visit } = this.#spec;
    if (visit === null) return this.#refuse("token", "not_expiring");
    if (this.#isRenewing) return this.#refuse("token", "busy");
    this.#isRenewing = true;
    void this.#host.renew(visit, token, this.#grant.identity).then((grant) => this.#renewed(grant));
  }

  #renewed(grant: Grant | null): void {
    this.#isRenewing = false;
    if (this.#state !== "open") return;
    if (grant === null) return this.#refuse("token", "not_authorized");
    this.#grant = grant;
    this.#expiresAt = grant.expiresAt ?? Infinity;
    this.#endsAs = "restart";
    this.#endsAt = this.#spec.endsAt;
    this.dueAt = this.#nextLook(this.#host.clock.now());
    this.#refilter();
  }

  #beat(now: number, isFull: boolean): void {
    const { heartbeatMs, pongTimeoutMs } = this.#host.options;
    this.#beatAt = Math.max(this.#beatAt + heartbeatMs, now + heartbeatMs / 2);
    const line = this.#line;
    if (isFull || line === null) return;
    this.#pongBy = now + pongTimeoutMs;
    this.#write(this.#host.heartbeat(this.#spec.dialect, line.position, now));
  }

  #isStalled(now: number): boolean {
    if (this.#fullSince === null) return false;
    const unsent = unsentBytes(this.#socket);
    if (unsent !== this.#unsent) {
      this.#unsent = unsent;
      this.#fullSince = now;
    }
    return now - this.#fullSince >= this.#host.options.stallMs;
  }

  #stall(now: number): void {
    this.#host.onStalled(this, now - (this.#fullSince ?? now));
    this.leave("too_slow");
  }

  #end(reason: string, code: number, frames: Uint8Array): void {
    this.#reason = reason;
    this.#code = code;
    this.#unsubscribe();
    this.#endsAt = this.#host.clock.now() + (this.#fullSince === null ? closeTimeoutMs : stalledCloseTimeoutMs);
    this.dueAt = this.#endsAt;
    this.#write(frames);
    this.#state = "closing";
  }

  // The server closes first (RFC 6455, 7.1.1), and does not wait long for the other half.
  #hangUp(): void {
    if (this.#state !== "closing") return;
    this.#socket.end();
    this.#endsAt = Math.min(this.#endsAt, this.#host.clock.now() + stalledCloseTimeoutMs);
    this.dueAt = this.#endsAt;
  }

  #refuse(op: string, code: string): void {
    this.#reply(this.#frame("client.refused", { op, code }));
  }

  // What a client makes us say while it does not read is bounded too.
  #reply(frame: Uint8Array): void {
    if (this.#fullSince !== null) this.#replyBytes += frame.length;
    if (this.#replyBytes > maxReplyBytes) this.leave("too_slow");
    else this.#write(frame);
  }

  #tell<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): void {
    if (this.#state === "open") this.#reply(this.#frame(type, data));
  }

  #frame<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): Uint8Array {
    return this.#spec.dialect.clientFrame(type, data, new Date(this.#host.clock.now()).toISOString());
  }

  #write(bytes: Uint8Array): boolean {
    if (writeTo(this.#socket, bytes, this)) return true;
    this.#fullSince ??= this.#host.clock.now();
    this.#unsent = unsentBytes(this.#socket);
    this.dueAt = Math.min(this.dueAt, this.#fullSince + lookAtFullMs);
    return false;
  }

  #nextLook(now: number): number {
    const look = Math.min(this.#beatAt, this.#pongBy, this.#expiresAt, this.#endsAt);
    return this.#fullSince === null ? look : Math.min(look, now + lookAtFullMs);
  }

  #unsubscribe(): void {
    this.#line = null;
    const subscription = this.#subscription;
    this.#subscription = null;
    // Its promise is that of our own `close`, which has nothing to wait for.
    if (subscription !== null) void subscription.close();
  }
}

/** A place in the log is found at once, or the log is in trouble. */
const openingTimeoutMs = 10_000;

/** How long a client has to answer a close frame, and how long one that does not read. */
const closeTimeoutMs = 5_000;
const stalledCloseTimeoutMs = 1_000;

/** How often it is looked whether a full connection moves. */
const lookAtFullMs = 1_000;

/** Answers a client may provoke while it does not read. */
export const maxReplyBytes = 16_384;

// Stands for a close frame without a code (RFC 6455, 7.1.5).
const noCode = 1005;

/** True for exactly one pong, whole and masked. */
function isOnePong(chunk: Uint8Array): boolean {
  const length = chunk[1] ?? 0;
  return chunk[0] === 0x8a && length >= 0x80 && length <= 0x80 + 125 && chunk.length === 6 + (length - 0x80);
}
