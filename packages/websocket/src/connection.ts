import {
  formatPosition,
  type Batch,
  type CloseReason,
  type Filter,
  type Gap,
  type Line,
  type Position,
  type Subscription,
} from "@starcast/core";
import type { Grant, Leaving, Seat } from "@starcast/core/gateway";
import { closeCodes, type ClientFrameType, type ClientFrames, type CloseReasonName } from "@starcast/core/wire";
import type { Duplex } from "node:stream";
import { askAnew, askedIn, endSubscription, renewGrant, type Change, type Recipient, type Renewal } from "./access.ts";
import { readClientMessage } from "./client-message.ts";
import type { CompressedStream } from "./compression/compressed-stream.ts";
import type { ConnectionHost, ConnectionSpec } from "./connection-host.ts";
import { closeTimeoutMs, Deadlines, stalledCloseTimeoutMs } from "./deadlines.ts";
import type { Dialect } from "./dialect.ts";
import { Inbound, isOnePong, type InboundOwner } from "./inbound.ts";
import { bindSocket, writeTo, type SocketOwner } from "./socket-writer.ts";
import { closeFrame, joinFrames, pingFrame, pongFrame } from "./text-frame.ts";
import { Unsent } from "./unsent.ts";

/** Why a connection ends, and by when it has to be over. */
interface Ending {
  readonly reason: string;
  /** That of the close frame that ends it, if one does. */
  readonly code: number | null;
  by: number;
}

/** One connected client: a place in the log and a socket, nothing else. Idle ones are many: each field counts. */
export class Connection implements Recipient, SocketOwner, InboundOwner, Leaving {
  // What every event touches comes first, so that it lies in one cache line.
  #state: "opening" | "open" | "closing" | "over" = "opening";
  #unsent: Unsent | null = null;
  readonly #dialect: Dialect;
  readonly #stream: CompressedStream | null;
  readonly #socket: Duplex;
  readonly #host: ConnectionHost;
  readonly clientId: string;
  readonly seat: Seat;
  grant: Grant;
  asked: Filter;
  subscription: Subscription | null = null;
  readonly renewal: Renewal | null;
  #line: Line | null = null;
  #inbound: Inbound | null = null;
  readonly #deadlines: Deadlines;
  #ending: Ending | null = null;

  constructor(host: ConnectionHost, socket: Duplex, spec: ConnectionSpec) {
    const { clientId, seat, grant, subscribe } = spec.accepted;
    this.#host = host;
    this.#socket = socket;
    this.clientId = clientId;
    this.seat = seat;
    this.#dialect = spec.dialect;
    this.#stream = spec.stream;
    this.grant = grant;
    this.asked = askedIn(subscribe);
    this.renewal = spec.visit === null ? null : { visit: spec.visit, isUnderWay: false };
    this.#deadlines = new Deadlines(host.clock.now(), host.timing, spec.endsAt);
  }

  /** One that is full is looked at each time: it may not move. */
  get dueAt(): number {
    if (this.#ending !== null) return this.#ending.by;
    return this.#unsent === null ? this.#deadlines.next(this.#host.timing) : 0;
  }

  get position(): Position | null {
    return this.#line?.position ?? null;
  }

  get unsentBytes(): number {
    return this.#unsent?.bytes ?? 0;
  }

  /** The handshake is written; the subscription was made in this turn, so that nothing was delivered yet. */
  start(subscription: Subscription): void {
    this.subscription = subscription;
    bindSocket(this.#socket, this);
  }

  open(line: Line): void {
    this.#line = line;
    const { position, isResumed } = line.start;
    if (this.#state === "open") return this.#tellSubscribed(position);
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#stream?.goOnAfter(position.offset);
    this.#deadlines.grantUntil(this.#host.endOf(this.grant));
    const about = { clientId: this.clientId, heartbeatMs: this.#host.timing.heartbeatMs, state: this.#host.state };
    this.#tell("client.connected", { position: formatPosition(position), resumed: isResumed, ...about });
    this.#host.onOpened(this, isResumed);
    // Only now can a client's operations be done.
    this.#socket.resume();
  }

  deliver(batch: Batch): number {
    if (this.#unsent !== null || this.#state !== "open") return 0;
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
    if (this.#ending !== null) return this.destroy(this.#ending.reason);
    const stalledMs = this.#unsent?.stalledMs(now) ?? 0;
    if (stalledMs >= this.#host.options.stallMs) {
      this.#host.onStalled(this, stalledMs);
      return this.leave("too_slow");
    }
    const due = this.#deadlines.take(now, this.#unsent !== null || this.#state === "opening", this.#host.timing);
    if (due === "pong_timeout") return this.destroy("pong_timeout");
    // It was told when its grant ended.
    if (due === "unauthorized") return this.leave(due);
    if (due === "restart" || due === "try_later") return this.leave(due, this.#host.drawReconnectMs());
    if (due === "expired") this.#tell("client.closing", { reason: "unauthorized", reconnectInMs: null });
    // Without a line its next place is being looked for, which may take long.
    if (due === "beat")
      this.#write(this.#line === null ? pingFrame : this.#host.heartbeat(this.#dialect, this.#line.position, now));
  }

  tellState(): void {
    if (this.#line !== null) this.#tell("client.heartbeat", this.#host.aliveAt(this.#line.position));
  }

  /** Says goodbye with a close frame, and, if the client can be told when to come back, with that before; nothing is written after it. */
  leave(reason: CloseReasonName, reconnectInMs?: number | null): void {
    if (this.#state === "closing" || this.#state === "over") return;
    const { code } = closeCodes[reason];
    const frames = [closeFrame(code, reason)];
    const isTold = this.#state === "open" && reconnectInMs !== undefined && this.#unsent === null;
    if (isTold) frames.unshift(this.#frame("client.closing", { reason, reconnectInMs }));
    this.#end(reason, code, joinFrames(frames));
  }

  /** Ends the connection at once. */
  destroy(reason: string): void {
    this.#ending ??= { reason, code: null, by: 0 };
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
    this.#unsent = null;
    if (this.#state !== "open") return;
    this.#deadlines.hasRoom(this.#host.clock.now(), this.#host.options.pongTimeoutMs);
    this.#line?.ready();
  }

  onData(chunk: Uint8Array): void {
    if (this.#state === "over") return;
    // Most clients never send more than answers to pings: they need no parser.
    if (this.#inbound === null && this.#deadlines.isPongAwaited && isOnePong(chunk)) return this.onPong();
    this.#inbound ??= new Inbound(this, this.#socket, this.#host, this.#stream !== null);
    this.#inbound.push(chunk);
  }

  onGone(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#unsubscribe();
    this.seat.leave();
    const { reason, code } = this.#ending ?? connectionLost;
    this.#host.onClosed(this, reason, code);
  }

  onText(text: string): void {
    if (this.#state !== "open") return;
    const message = readClientMessage(text);
    if (message.kind === "refused") this.#reply(this.#frame("client.refused", { op: message.op, code: message.code }));
    else if (message.operation.op === "subscribe")
      this.#answer("subscribe", askAnew(this.#host, this, message.operation));
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
    const change = await renewGrant(this.#host, this, token);
    if (change.kind !== "refused" && this.#state === "open") this.#deadlines.grantUntil(this.#host.endOf(this.grant));
    this.#answer("token", change);
  }

  #tellSubscribed(position: Position): void {
    this.#stream?.goOnAfter(position.offset);
    const { types = null, subjects = null } = this.asked;
    this.#tell("client.subscribed", { types, subjects, position: formatPosition(position) });
  }

  #end(reason: string, code: number, frames: Uint8Array): void {
    this.#unsubscribe();
    const by = this.#host.clock.now() + (this.#unsent === null ? closeTimeoutMs : stalledCloseTimeoutMs);
    this.#write(frames);
    this.#state = "closing";
    this.#ending = { reason, code, by };
    // One that was still opening is not read yet; now its answer is waited for.
    this.#socket.resume();
  }

  // The server closes first (RFC 6455, 7.1.1), and does not wait long for the other half.
  #hangUp(): void {
    if (this.#state !== "closing" || this.#ending === null) return;
    this.#socket.end();
    this.#ending.by = Math.min(this.#ending.by, this.#host.clock.now() + stalledCloseTimeoutMs);
  }

  // What a client makes us say while it does not read is bounded too.
  #reply(frame: Uint8Array): void {
    if (this.#unsent?.hasRoomFor(frame) === false) this.leave("too_slow");
    else this.#write(frame);
  }

  #tell<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): void {
    if (this.#state === "open") this.#reply(this.#frame(type, data));
  }

  #frame<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type]): Uint8Array {
    return this.#dialect.clientFrame(type, data, this.#host.timestamp());
  }

  /** Writes whole frames; true when there is room for more, else `onRoom` follows once there is. */
  #write(bytes: Uint8Array): boolean {
    if (this.#unsent !== null) {
      // Only what answers or ends comes behind what has not left; room is told once for all of it.
      this.#socket.write(bytes);
      return false;
    }
    if (writeTo(this.#socket, bytes, this)) return true;
    this.#unsent = new Unsent(this.#socket, this.#host.clock.now());
    return false;
  }

  #unsubscribe(): void {
    this.#line = null;
    this.#stream?.end();
    endSubscription(this);
  }
}

const connectionLost = { reason: "connection_lost", code: null };
