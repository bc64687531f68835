import {
  formatPosition,
  type Batch,
  type CloseReason,
  type Gap,
  type Line,
  type Position,
  type Subscriber,
  type Subscription,
} from "@starcast/core";
import type { Accepted, Leaving, Seat, Visit } from "@starcast/core/gateway";
import { closeCodes, type ClientFrameType, type ClientFrames, type CloseReasonName } from "@starcast/core/wire";
import type { Duplex } from "node:stream";
import { Access, askedIn, type Change } from "./access.ts";
import { readClientMessage } from "./client-message.ts";
import type { CompressedStream } from "./compression/compressed-stream.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { closeTimeoutMs, Deadlines, lookAtFullMs, stalledCloseTimeoutMs } from "./deadlines.ts";
import type { Dialect } from "./dialect.ts";
import { Inbound, isOnePong, type InboundOwner } from "./inbound.ts";
import { Outbound } from "./outbound.ts";
import { bindSocket, type SocketOwner } from "./socket-writer.ts";
import { closeFrame, joinFrames, pongFrame } from "./text-frame.ts";

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

/** One connected client: a place in the log and a socket, nothing else. */
export class Connection implements Subscriber, SocketOwner, InboundOwner, Leaving {
  #state: "opening" | "open" | "closing" | "over" = "opening";
  readonly #dialect: Dialect;
  readonly #stream: CompressedStream | null;
  readonly #outbound: Outbound;
  dueAt: number;
  readonly #host: ConnectionHost;
  readonly #socket: Duplex;
  readonly clientId: string;
  readonly seat: Seat;
  readonly #agesAt: number;
  readonly #access: Access;
  #line: Line | null = null;
  #inbound: Inbound | null = null;
  readonly #deadlines: Deadlines;
  #reason = "connection_lost";
  #code: number | null = null;

  constructor(host: ConnectionHost, socket: Duplex, spec: ConnectionSpec) {
    const { clientId, seat, grant, subscribe } = spec.accepted;
    this.#host = host;
    this.#socket = socket;
    this.clientId = clientId;
    this.seat = seat;
    this.#dialect = spec.dialect;
    this.#stream = spec.stream;
    this.#agesAt = spec.endsAt;
    this.#outbound = new Outbound(socket, this, host.clock);
    this.#access = new Access(host, this, { grant, asked: askedIn(subscribe), visit: spec.visit });
    this.#deadlines = new Deadlines(host.clock.now(), host.options.heartbeatMs);
    this.dueAt = this.#deadlines.next;
  }

  /** The handshake is written; the subscription was made in this turn, so that nothing was delivered yet. */
  start(subscription: Subscription): void {
    this.#access.begin(subscription);
    bindSocket(this.#socket, this);
  }

  open(line: Line): void {
    this.#line = line;
    const { position, isResumed } = line.start;
    this.#stream?.goOnAfter(position.offset);
    if (this.#state === "open") return this.#tellSubscribed(position);
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#deadlines.grantUntil(this.#access.expiresAt, this.#agesAt);
    const about = { clientId: this.clientId, heartbeatMs: this.#host.timing.heartbeatMs, state: this.#host.state };
    this.#tell("client.connected", { position: formatPosition(position), resumed: isResumed, ...about });
    this.#host.onOpened(this, isResumed);
    this.dueAt = this.#nextLook(this.#host.clock.now());
    // Only now can a client's operations be done.
    this.#socket.resume();
  }

  deliver(batch: Batch): number {
    if (this.#outbound.isFull || this.#state !== "open") return 0;
    const stream = this.#stream;
    const count = batch.events.length;
    let taken = 0;
    while (taken < count) {
      const piece = stream === null ? batch.piece(this.#dialect.encoding, taken) : stream.piece(batch, taken);
      taken += piece.count;
      if (!this.#write(piece.bytes)) break;
    }
    return taken;
  }

  gap(gap: Gap): void {
    this.#stream?.goOnAfter(gap.through.offset);
    const after = gap.after === null ? null : formatPosition(gap.after);
    this.#tell("client.gap", { after, through: formatPosition(gap.through), reason: gap.reason });
    this.#host.onGapped(this, gap);
  }

  close(reason: CloseReason): void {
    // What this connection itself ended, to begin anew or because it is over, is no news.
    if (reason === "unsubscribed") return;
    this.leave(reason === "broker_closed" ? "restart" : "failed", this.#host.drawReconnectMs());
  }

  beat(now: number): void {
    // The closing was not answered.
    if (this.#state === "closing") return this.destroy(this.#reason);
    const stalledMs = this.#outbound.stalledMs(now);
    if (stalledMs >= this.#host.options.stallMs) {
      this.#host.onStalled(this, stalledMs);
      return this.leave("too_slow");
    }
    const { endsAs } = this.#deadlines;
    const due = this.#deadlines.take(now, this.#outbound.isFull, this.#host.timing);
    if (due === "pong_timeout") return this.destroy("pong_timeout");
    // Whose grant has ended knows already.
    if (due === "ended")
      return this.leave(endsAs, endsAs === "unauthorized" ? undefined : this.#host.drawReconnectMs());
    if (due === "expired") this.#tell("client.closing", { reason: "unauthorized", reconnectInMs: null });
    if (due === "beat" && this.#line !== null)
      this.#write(this.#host.heartbeat(this.#dialect, this.#line.position, now));
    this.dueAt = this.#nextLook(now);
  }

  tellState(): void {
    if (this.#line !== null) this.#tell("client.heartbeat", this.#host.aliveAt(this.#line.position));
  }

  /** Says goodbye with a close frame, and, if the client can be told when to come back, with that before; nothing is written after it. */
  leave(reason: CloseReasonName, reconnectInMs?: number | null): void {
    if (this.#state === "closing" || this.#state === "over") return;
    const { code } = closeCodes[reason];
    const frames = [closeFrame(code, reason)];
    const isTold = this.#state === "open" && reconnectInMs !== undefined && !this.#outbound.isFull;
    if (isTold) frames.unshift(this.#frame("client.closing", { reason, reconnectInMs }));
    this.#end(reason, code, joinFrames(frames));
  }

  /** Ends the connection at once. */
  destroy(reason: string): void {
    if (this.#state !== "closing") this.#reason = reason;
    this.#socket.destroy();
    this.onGone();
  }

  leaveForRestart(): void {
    this.leave("restart", this.#host.drawReconnectMs());
  }

  destroyForRestart(): void {
    this.destroy("restart");
  }

  onRoom(): void {
    this.#outbound.cleared();
    if (this.#state !== "open") return;
    const now = this.#host.clock.now();
    this.#deadlines.hasRoom(now, this.#host.options.pongTimeoutMs);
    this.dueAt = this.#nextLook(now);
    this.#line?.ready();
  }

  onData(chunk: Uint8Array): void {
    if (this.#state === "over") return;
    // Most clients never send more than answers to pings: they need no parser.
    if (this.#inbound === null && this.#deadlines.isPongAwaited && isOnePong(chunk)) return this.onPong();
    this.#inbound ??= new Inbound(this, this.#host, this.#stream !== null);
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
    this.seat.leave();
    this.#host.onClosed(this, this.#reason, this.#code);
  }

  onText(text: string): void {
    if (this.#state !== "open") return;
    const message = readClientMessage(text);
    if (message.kind === "refused") this.#reply(this.#frame("client.refused", { op: message.op, code: message.code }));
    else if (message.operation.op === "subscribe") this.#answer("subscribe", this.#access.subscribe(message.operation));
    else void this.#renew(message.operation.token);
  }

  onPing(payload: Uint8Array): void {
    if (this.#state === "open") this.#reply(pongFrame(payload));
  }

  onPong(): void {
    this.#deadlines.ponged();
  }

  onCloseFrame(code: number): void {
    // 1005 stands for a close frame without a code (RFC 6455, 7.1.5).
    if (this.#state === "open") this.#end("client_left", code, closeFrame(code === 1005 ? null : code));
    this.#hangUp();
  }

  onViolation(reason: CloseReasonName): void {
    this.leave(reason);
    this.#hangUp();
  }

  #answer(op: string, change: Change): void {
    if (this.#state !== "open") return;
    if (change.kind === "refused") return this.#reply(this.#frame("client.refused", { op, code: change.code }));
    if (change.kind === "lost") return this.leave("try_later", this.#host.drawReconnectMs());
    // What was written for the earlier line stays; nothing of it comes any more.
    if (change.kind === "moved") this.#line = null;
    else if (change.position !== null) this.#tellSubscribed(change.position);
  }

  async #renew(token: string): Promise<void> {
    const change = await this.#access.renew(token);
    if (change.kind !== "refused" && this.#state === "open") {
      this.#deadlines.grantUntil(this.#access.expiresAt, this.#agesAt);
      this.dueAt = this.#nextLook(this.#host.clock.now());
    }
    this.#answer("token", change);
  }

  #tellSubscribed(position: Position): void {
    const { types = null, subjects = null } = this.#access.asked;
    this.#tell("client.subscribed", { types, subjects, position: formatPosition(position) });
  }

  #end(reason: string, code: number, frames: Uint8Array): void {
    this.#reason = reason;
    this.#code = code;
    this.#unsubscribe();
    const isFull = this.#outbound.isFull;
    this.#write(frames);
    this.#state = "closing";
    this.dueAt = this.#host.clock.now() + (isFull ? stalledCloseTimeoutMs : closeTimeoutMs);
    // One that was still opening is not read yet; now its answer is waited for.
    this.#socket.resume();
  }

  // The server closes first (RFC 6455, 7.1.1), and does not wait long for the other half.
  #hangUp(): void {
    if (this.#state !== "closing") return;
    this.#socket.end();
    this.dueAt = Math.min(this.dueAt, this.#host.clock.now() + stalledCloseTimeoutMs);
  }

  // What a client makes us say while it does not read is bounded too.
  #reply(frame: Uint8Array): void {
    if (!this.#outbound.reply(frame)) this.leave("too_slow");
    else if (this.#outbound.isFull) this.#lookSoon();
  }

  #tell<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): void {
    if (this.#state === "open") this.#reply(this.#frame(type, data));
  }

  #frame<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): Uint8Array {
    return this.#dialect.clientFrame(type, data, new Date(this.#host.clock.now()).toISOString());
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#outbound.write(bytes)) return true;
    this.#lookSoon();
    return false;
  }

  #lookSoon(): void {
    this.dueAt = Math.min(this.dueAt, this.#host.clock.now() + lookAtFullMs);
  }

  #nextLook(now: number): number {
    return Math.min(this.#deadlines.next, this.#outbound.isFull ? now + lookAtFullMs : Infinity);
  }

  #unsubscribe(): void {
    this.#line = null;
    this.#stream?.end();
    this.#access.end();
  }
}
