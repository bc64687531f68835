import { parseFrame, type ClientFrame, type ParsedFrame } from "@starcast/core/wire";
import type { Transport } from "./client-state.ts";
import { isDoubtful, silenceLeftMs, type Vitals } from "./liveness.ts";
import type { Attempt, SourceEnd } from "./next-step.ts";
import type { ResolvedConnectOptions, TokenReason } from "./options.ts";
import { requestUrl } from "./request-url.ts";
import type { Source } from "./source.ts";
import { openStream } from "./sse-source.ts";
import type { Timer } from "./surroundings.ts";
import { openWebSocket } from "./websocket-source.ts";

export type KnownFrame = Extract<ParsedFrame, { kind: "event" | "client" }>["frame"];

export interface ConnectionOwner {
  /** Frames of a kind that is known; the greeting is the first. */
  onFrame(frame: KnownFrame): void;
  /** Called once, last; never after `close`. */
  onEnd(end: SourceEnd, attempt: Attempt): void;
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
  #startedAt: number;
  #lastHeardAt: number;
  #heartbeatMs: number | null = null;
  #advice: number | null | undefined;
  #retryMs = 0;
  #watch: Timer | null = null;

  constructor(options: ResolvedConnectOptions, spec: ConnectionSpec, owner: ConnectionOwner) {
    this.#options = options;
    this.#spec = spec;
    this.#owner = owner;
    this.#startedAt = this.#lastHeardAt = this.#now();
    void this.#open();
  }

  /** When something came last. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Ends it without a word to the owner. Idempotent. */
  close(): void {
    this.#isOver = true;
    this.#watch?.cancel();
    this.#source?.close();
  }

  /** The device was asleep, or the network away: a connection that may have died unnoticed is given up. */
  doubt(): void {
    if (isDoubtful(this.#vitals())) this.#end({ kind: "silent" });
  }

  async #open(): Promise<void> {
    const token = await this.#askToken(this.#spec.tokenReason);
    if (this.#isOver || token === undefined) return;
    this.#startedAt = this.#lastHeardAt = this.#now();
    const { transport, after } = this.#spec;
    const { url, types, subjects, webSocket, fetch, credentials } = this.#options;
    const request = { url: requestUrl(url, transport, { types, subjects, after }), token };
    const listener = {
      frame: (text: string) => this.#take(parseFrame(text)),
      heard: () => void (this.#lastHeardAt = this.#now()),
      retry: (ms: number) => void (this.#retryMs = ms),
      end: (end: SourceEnd) => this.#end(end),
    };
    try {
      this.#source =
        transport === "websocket" && webSocket !== null
          ? openWebSocket(webSocket, request, listener)
          : openStream(fetch, { ...request, credentials, now: () => this.#now() }, listener);
    } catch (error) {
      // A WebSocket constructor throws for URLs a page may not open, and for tokens no subprotocol can carry.
      return this.#end({ kind: "unsupported", message: error instanceof Error ? error.message : String(error) });
    }
    this.#watchSilence();
  }

  /** Undefined when it is over for want of one. */
  async #askToken(reason: TokenReason): Promise<string | null | undefined> {
    const { getToken, warn } = this.#options;
    if (getToken === null) return null;
    try {
      const token = await getToken(reason);
      if (token === null || /^[\x21-\x7e]+$/.test(token)) return token;
      warn("Expected `getToken` to give null or a token of visible ASCII, got something else");
    } catch (error) {
      warn("`getToken` threw; trying again later", error);
    }
    this.#end({ kind: "token_failed" });
    return undefined;
  }

  #take(parsed: ParsedFrame): void {
    if (this.#isOver || parsed.kind === "unknown") return;
    if (parsed.kind === "rejected")
      return this.#end({
        kind: "protocol_error",
        message: `Expected frames of a gateway, got one that is ${parsed.reason}`,
      });
    const { frame } = parsed;
    if (parsed.kind === "client") this.#note(parsed.frame);
    if (!this.#isOver) this.#owner.onFrame(frame);
  }

  #note(frame: ClientFrame): void {
    switch (frame.type) {
      case "client.connected":
        this.#heartbeatMs = frame.data.heartbeatMs;
        this.#startedAt = this.#now();
        return this.#watchSilence();
      case "client.closing":
        this.#advice = frame.data.reconnectInMs;
        if (frame.data.reason === "unauthorized" && this.#options.getToken !== null) void this.#renewToken();
        return;
      case "client.refused":
        // The grace ends with a close, which is not worth waiting for.
        if (frame.data.op === "token" && frame.data.code === "not_authorized")
          this.#end({ kind: "closed", code: 4401 });
        return;
      case "client.subscribed":
        this.#advice = undefined;
        return;
      case "client.gap":
      case "client.heartbeat":
    }
  }

  async #renewToken(): Promise<void> {
    if (this.#spec.transport === "sse") return this.#end({ kind: "token_expired" });
    const token = await this.#askToken("expiring");
    if (!this.#isOver && typeof token === "string") this.#source?.sendToken(token);
  }

  // One timer, moved only when it fires.
  #watchSilence(): void {
    this.#watch?.cancel();
    this.#lookIn(silenceLeftMs(this.#vitals()), false);
  }

  // What came while a page was frozen is read only after its timers: silence is believed at the second look.
  #lookIn(ms: number, isSecond: boolean): void {
    this.#watch = this.#options.surroundings.scheduler.after(ms, () => {
      const leftMs = silenceLeftMs(this.#vitals());
      if (leftMs > 0) this.#lookIn(leftMs, false);
      else if (isSecond) this.#end({ kind: "silent" });
      else this.#lookIn(secondLookMs, true);
    });
  }

  #vitals(): Vitals {
    const lastHeardAt = this.#heartbeatMs === null ? this.#startedAt : this.#lastHeardAt;
    return { now: this.#now(), lastHeardAt, heartbeatMs: this.#heartbeatMs };
  }

  #end(end: SourceEnd): void {
    if (this.#isOver) return;
    this.close();
    const wasGreeted = this.#heartbeatMs !== null;
    this.#owner.onEnd(end, {
      transport: this.#spec.transport,
      wasGreeted,
      heldMs: wasGreeted ? this.#now() - this.#startedAt : 0,
      advice: this.#advice,
      retryMs: this.#retryMs,
    });
  }

  #now(): number {
    return this.#options.surroundings.clock.now();
  }
}

const secondLookMs = 250;
