import type { Transport } from "./client-state.ts";
import type { End } from "./end.ts";
import type { Attempt } from "./next-step.ts";
import type { ResolvedConnectOptions, TokenReason } from "./options.ts";
import { readFrame, type KnownFrame } from "./read-frame.ts";
import { requestUrl } from "./request-url.ts";
import type { Source } from "./source.ts";
import { openStream } from "./sse-source.ts";
import type { Timer } from "./surroundings.ts";
import { openWebSocket } from "./websocket-source.ts";

export interface ConnectionOwner {
  /** Frames of a kind that is known; the greeting is the first. */
  onFrame(frame: KnownFrame): void;
  /** Called once, last; never after `close`. */
  onEnd(end: End, attempt: Attempt): void;
}

export interface ConnectionSpec {
  readonly transport: Transport;
  /** A position, `earliest` or `latest`. */
  readonly after: string;
  readonly tokenReason: TokenReason;
}

/** One try: token, source, frames, signs of life, end. */
export class Connection {
  readonly #options: ResolvedConnectOptions;
  readonly #spec: ConnectionSpec;
  readonly #owner: ConnectionOwner;
  #source: Source | null = null;
  #isOver = false;
  /** When it was begun, then when it was greeted. */
  #since: number;
  #lastHeardAt = 0;
  /** Null: not greeted yet. */
  #heartbeatMs: number | null = null;
  #advice: number | null | undefined;
  #retryMs = 0;
  #watch: Timer | null = null;

  constructor(options: ResolvedConnectOptions, spec: ConnectionSpec, owner: ConnectionOwner) {
    this.#options = options;
    this.#spec = spec;
    this.#owner = owner;
    this.#since = this.#now();
    void this.#open();
  }

  /** For how long nothing came: anything at all, once it was greeted. */
  get silentMs(): number {
    return this.#now() - (this.#heartbeatMs === null ? this.#since : this.#lastHeardAt);
  }

  /** Ends it without a word to the owner. Idempotent. */
  close(): void {
    this.#isOver = true;
    this.#watch?.cancel();
    this.#source?.close();
  }

  /** The device was asleep, or the network away: a connection that may have died unnoticed is given up. */
  doubt(): void {
    if (this.#heartbeatMs !== null && this.silentMs > this.#heartbeatMs * heartbeatsOfDoubt)
      this.#end({ next: "soon", reason: "silent" });
  }

  async #open(): Promise<void> {
    const token = await this.#askToken(this.#spec.tokenReason);
    if (this.#isOver || token === undefined) return;
    this.#since = this.#now();
    const { transport, after } = this.#spec;
    const { url, webSocket, fetch, credentials } = this.#options;
    const request = { url: requestUrl(url, transport, { ...this.#options, after }), token };
    const listener = {
      frame: (text: string) => this.#take(text),
      heard: () => void (this.#lastHeardAt = this.#now()),
      retry: (ms: number) => void (this.#retryMs = ms),
      end: (end: End) => this.#end(end),
    };
    try {
      this.#source =
        transport === "websocket" && webSocket !== null
          ? openWebSocket(webSocket, request, listener)
          : openStream({ ...request, fetch, credentials, now: () => this.#now() }, listener);
    } catch (error) {
      // A WebSocket constructor throws for URLs a page may not open, and for tokens no subprotocol can carry.
      return this.#end({ next: "never", reason: "refused", message: String(error) });
    }
    this.#watchSilence();
  }

  /** Undefined when it is over for want of one. */
  async #askToken(reason: TokenReason): Promise<string | null | undefined> {
    const { getToken, warn } = this.#options;
    try {
      const token = (await getToken?.(reason)) ?? null;
      if (token === null || /^[\x21-\x7e]+$/.test(token)) return token;
      throw new TypeError("not visible ASCII");
    } catch (error) {
      warn("`getToken` failed", error);
    }
    this.#end({ next: "soon", reason: "token_failed" });
    return undefined;
  }

  #take(text: string): void {
    if (this.#isOver) return;
    this.#lastHeardAt = this.#now();
    let frame: KnownFrame | null;
    try {
      frame = readFrame(text);
    } catch {
      // What it was may be anything.
      return this.#end({ next: "later", reason: "protocol_error", message: "not a frame of a gateway" });
    }
    if (frame === null) return;
    if (!("id" in frame)) this.#note(frame);
    if (!this.#isOver) this.#owner.onFrame(frame);
  }

  #note({ type, data }: Exclude<KnownFrame, { readonly id: string }>): void {
    if (type === "client.connected") {
      this.#heartbeatMs = data.heartbeatMs;
      this.#since = this.#now();
      this.#watchSilence();
    } else if (type === "client.closing") {
      this.#advice = data.reconnectInMs;
      if (data.reason === "unauthorized" && this.#options.getToken !== null) void this.#renewToken();
    } else if (type === "client.subscribed") this.#advice = undefined;
    // The grace ends with a close, which is not worth waiting for.
    else if (type === "client.refused" && data.op === "token" && data.code === "not_authorized")
      this.#end({ next: "renew", reason: "unauthorized" });
  }

  async #renewToken(): Promise<void> {
    if (this.#source?.sendToken === undefined) return this.#end({ next: "renew", reason: "unauthorized" });
    const token = await this.#askToken("expiring");
    if (!this.#isOver && typeof token === "string") this.#source.sendToken(token);
  }

  // What came while a page was frozen is read only after its timers: silence is believed at the second look.
  #watchSilence(isSecond = false): void {
    this.#watch?.cancel();
    const limitMs = this.#heartbeatMs === null ? greetingTimeoutMs : this.#heartbeatMs * heartbeatsOfSilence;
    const leftMs = limitMs - this.silentMs;
    const isSilent = leftMs <= 0;
    if (isSilent && isSecond) return this.#end({ next: "soon", reason: "silent" });
    // One timer, moved only when it fires.
    this.#watch = this.#options.surroundings.scheduler.after(isSilent ? secondLookMs : leftMs, () =>
      this.#watchSilence(isSilent),
    );
  }

  #end(end: End): void {
    if (this.#isOver) return;
    this.close();
    this.#owner.onEnd(end, {
      transport: this.#spec.transport,
      heldMs: this.#heartbeatMs === null ? null : this.#now() - this.#since,
      advice: this.#advice,
      retryMs: this.#retryMs,
    });
  }

  #now(): number {
    return this.#options.surroundings.clock.now();
  }
}

/** A gateway that was silent for so many heartbeats is gone, whatever the socket says. */
const heartbeatsOfSilence = 2.5;

/** Who just woke up expects a sign of life since so many: what is older may be a connection that died asleep. */
const heartbeatsOfDoubt = 1.2;

/** A gateway greets within this, or it is tried another way. */
const greetingTimeoutMs = 10_000;

const secondLookMs = 250;
