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

/** One try: token, source, frames, signs of life, end. */
export interface Connection {
  /** For how long nothing came: anything at all, once it was greeted. */
  silentMs(): number;
  /** The device was asleep, or the network away: a connection that may have died unnoticed is given up. */
  doubt(): void;
  /** Ends it without a word to the owner. Idempotent. */
  close(): void;
}

/** The options of the client, but for this try. */
export interface ConnectionSpec extends ResolvedConnectOptions {
  readonly transport: Transport;
  /** A position, `earliest` or `latest`. */
  readonly after: string;
  readonly tokenReason: TokenReason;
}

/**
 * Begins a try. `onFrame`: a frame of a kind that is known; the greeting is the first. `onEnd`: once, last, and never
 * after `close`.
 */
export function openConnection(
  spec: ConnectionSpec,
  onFrame: (frame: KnownFrame) => void,
  onEnd: (end: End, attempt: Attempt) => void,
): Connection {
  const { transport, tokenReason, surroundings, webSocket, getToken, warn } = spec;
  const now = (): number => surroundings.clock.now();
  let source: Source | null = null;
  let isOver = false;
  let greetedAt: number | null = null;
  /** Before it is greeted: when it was begun. */
  let heardAt = now();
  let heartbeatMs = heartbeatBeforeGreetingMs;
  let advice: number | null | undefined;
  let retryMs = 0;
  let watch: Timer | null = null;

  // A clock that is set back begins the silence anew: at most one more time until it is believed.
  const silentMs = (): number => {
    heardAt = Math.min(heardAt, now());
    return now() - heardAt;
  };

  const close = (): void => {
    isOver = true;
    watch?.cancel();
    source?.close();
  };

  const end = (why: End): void => {
    if (isOver) return;
    close();
    onEnd(why, { transport, heldMs: greetedAt === null ? null : now() - greetedAt, advice, retryMs });
  };

  const endUnauthorized = (): void => end({ next: "renew", reason: "unauthorized" });

  const withToken = async (reason: TokenReason, use: (token: string | null) => void): Promise<void> => {
    let token: string | null;
    try {
      token = (await getToken?.(reason)) ?? null;
      if (!/^[\x21-\x7e]+$/.test(token ?? "none")) throw new TypeError("not visible ASCII");
    } catch (error) {
      warn("`getToken` failed", error);
      return end({ next: "soon", reason: "token_failed" });
    }
    if (!isOver) use(token);
  };

  const heard = (): void => {
    if (greetedAt !== null) heardAt = now();
  };

  // What came while a page was frozen is read only after its timers: silence is believed at the second look.
  const watchSilence = (isSecond = false): void => {
    watch?.cancel();
    const leftMs = heartbeatMs * heartbeatsOfSilence - silentMs();
    const isSilent = leftMs <= 0;
    if (isSilent && isSecond) return end({ next: "soon", reason: "silent" });
    // One timer, moved only when it fires.
    watch = surroundings.scheduler.after(isSilent ? secondLookMs : leftMs, () => watchSilence(isSilent));
  };

  const heed = ({ type, data }: Exclude<KnownFrame, { readonly id: string }>): void => {
    if (type === "client.connected") {
      heartbeatMs = data.heartbeatMs;
      greetedAt = heardAt = now();
      watchSilence();
    } else if (type === "client.closing") {
      advice = data.reconnectInMs;
      if (data.reason !== "unauthorized" || getToken === null) return;
      if (source?.sendToken === undefined) endUnauthorized();
      else void withToken("expiring", source.sendToken);
    } else if (type === "client.subscribed") advice = undefined;
    // The grace ends with a close, which is not worth waiting for.
    else if (type === "client.refused" && data.op === "token" && data.code === "not_authorized") endUnauthorized();
  };

  const take = (text: string): void => {
    if (isOver) return;
    heard();
    let frame: KnownFrame | null;
    try {
      frame = readFrame(text);
    } catch {
      // What it was may be anything.
      return end({ next: "later", reason: "protocol_error", message: "not a frame" });
    }
    if (frame === null) return;
    if (!("id" in frame)) heed(frame);
    if (!isOver) onFrame(frame);
  };

  void withToken(tokenReason, (token) => {
    heardAt = now();
    const request = { ...spec, url: requestUrl(spec), token, now };
    const listener = { frame: take, heard, retry: (ms: number) => void (retryMs = ms), end };
    try {
      source =
        transport === "websocket" && webSocket !== null
          ? openWebSocket(webSocket, request, listener)
          : openStream(request, listener);
    } catch (error) {
      // A WebSocket constructor throws for URLs a page may not open, and for tokens no subprotocol can carry.
      return end({ next: "never", reason: "refused", message: String(error) });
    }
    watchSilence();
  });

  return {
    silentMs,
    close,
    doubt() {
      if (greetedAt !== null && silentMs() > heartbeatMs * heartbeatsOfDoubt) end({ next: "soon", reason: "silent" });
    },
  };
}

/** A gateway that was silent for so many heartbeats is gone, whatever the socket says. */
const heartbeatsOfSilence = 2.5;

/** Who just woke up expects a sign of life since so many: what is older may be a connection that died asleep. */
const heartbeatsOfDoubt = 1.2;

/** A gateway greets within 2.5 of these, 10 s, or it is tried another way. */
const heartbeatBeforeGreetingMs = 4_000;

const secondLookMs = 250;
