import { closeCodes, comingBack } from "@starcast/core/wire";
import { backOffMs, longestAdviceMs, stableMs } from "./back-off.ts";
import type { ClosedReason, Transport, WaitReason } from "./client-state.ts";

/** How one try ended. */
export type SourceEnd =
  /** No connection came about, and nobody said why. */
  | { readonly kind: "unreachable" }
  /** A WebSocket that had opened was closed. */
  | { readonly kind: "closed"; readonly code: number }
  /** A stream ended. */
  | { readonly kind: "lost" }
  /** An HTTP answer that is no stream. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly message: string;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "silent" }
  | { readonly kind: "protocol_error"; readonly message: string }
  | { readonly kind: "token_failed" }
  /** A WebSocket cannot carry this token, or there is none in this runtime. */
  | { readonly kind: "unsupported"; readonly message: string }
  /** The server asked for another token on a connection that cannot take one. */
  | { readonly kind: "token_expired" };

/** The try that ended, and what is known of those before. */
export interface Attempt {
  readonly transport: Transport;
  /** Whether the gateway greeted. */
  readonly wasGreeted: boolean;
  /** How long the connection held. */
  readonly heldMs: number;
  /** What the server said about coming back: milliseconds, null for not by itself, undefined for nothing. */
  readonly advice: number | null | undefined;
  /** The least the stream asks to wait (`retry:`). */
  readonly retryMs: number;
}

export interface History {
  /** Tries that failed since a connection held for `stableMs`. */
  readonly failures: number;
  /** Whether the token was refused since then. */
  readonly isTokenRefused: boolean;
  readonly hasWebSocketWorked: boolean;
  readonly hasSseWorked: boolean;
}

export const noHistory: History = Object.freeze({
  failures: 0,
  isTokenRefused: false,
  hasWebSocketWorked: false,
  hasSseWorked: false,
});

export interface Wishes {
  readonly transport: "auto" | Transport;
  readonly hasToken: boolean;
  readonly random: { next(): number };
}

export type Step =
  | { readonly kind: "try"; readonly transport: Transport; readonly reason: WaitReason }
  | { readonly kind: "wait"; readonly ms: number; readonly transport: Transport; readonly reason: WaitReason }
  | { readonly kind: "close"; readonly reason: ClosedReason; readonly message: string | null };

/** What to do after a try ended, and what to remember. Pure but for the dice. */
export function nextStep(
  end: SourceEnd,
  attempt: Attempt,
  before: History,
  wishes: Wishes,
): { step: Step; history: History } {
  const known = remember(attempt, before);
  const history = { ...known, failures: known.failures + 1 };
  const wait = (reason: WaitReason, ms: number): { step: Step; history: History } => ({
    step: { kind: "wait", reason, ms, transport: firstTransport(wishes.transport, history) },
    history,
  });
  const backOff = backOffMs(known.failures, wishes.random);
  const later = Math.max(backOff, leastLaterMs + backOff);

  if (isFallbackDue(end, attempt, wishes))
    return { step: { kind: "try", transport: "sse", reason: "unreachable" }, history: known };

  switch (verdictOf(end, attempt)) {
    case "unauthorized":
      // Once more with a new token, then it is the application's turn.
      if (!wishes.hasToken || known.isTokenRefused)
        return { step: { kind: "close", reason: "unauthorized", message: messageOf(end) }, history };
      return {
        step: { kind: "try", transport: attempt.transport, reason: "unauthorized" },
        history: { ...history, isTokenRefused: true },
      };
    case "forbidden":
      return { step: { kind: "close", reason: "forbidden", message: messageOf(end) }, history };
    case "refused":
      return { step: { kind: "close", reason: "refused", message: messageOf(end) }, history };
    case "done":
      return { step: { kind: "close", reason: "done", message: null }, history };
    case "later":
      return wait(reasonOf(end), adviceOf(end, attempt) ?? later);
    case "soon": {
      // Advice of zero is followed at once, unless the connection before it did not hold either.
      const advice = adviceOf(end, attempt);
      if (advice !== null) return wait(reasonOf(end), known.failures === 0 ? advice : Math.max(advice, backOff));
      return wait(reasonOf(end), Math.max(backOff, attempt.retryMs));
    }
  }
}

/** The transport to begin with: WebSocket, unless only SSE has ever come through from here. Pure. */
export function firstTransport(wish: "auto" | Transport, history: History): Transport {
  if (wish !== "auto") return wish;
  return history.hasSseWorked && !history.hasWebSocketWorked ? "sse" : "websocket";
}

type Verdict = "soon" | "later" | "unauthorized" | "forbidden" | "refused" | "done";

function verdictOf(end: SourceEnd, { advice }: Attempt): Verdict {
  switch (end.kind) {
    case "closed":
      if (end.code === closeCodes.unauthorized.code) return "unauthorized";
      if (end.code === closeCodes.forbidden.code) return "forbidden";
      return comingBack(end.code) === "never" ? "done" : comingBack(end.code) === "later" ? "later" : "soon";
    case "refused":
      return verdictOfStatus(end.status);
    case "token_expired":
      return "unauthorized";
    case "lost":
      return advice === null ? "unauthorized" : "soon";
    case "unsupported":
      return "refused";
    case "protocol_error":
      return "later";
    case "unreachable":
    case "silent":
    case "token_failed":
      return "soon";
  }
}

// A gateway answers 204 to who comes back and is no longer authorized, since an EventSource understands only that.
function verdictOfStatus(status: number): Verdict {
  if (status === 401 || status === 204) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 400 || status === 410) return "refused";
  // Everything else may be a deployment, a proxy or a page that stands in: worth another look, not soon.
  return status >= 500 ? "soon" : "later";
}

function isFallbackDue(end: SourceEnd, attempt: Attempt, { transport }: Wishes): boolean {
  if (transport !== "auto" || attempt.transport !== "websocket" || attempt.wasGreeted) return false;
  return end.kind === "closed" ? comingBack(end.code) === "soon" : end.kind !== "token_failed";
}

function remember({ transport, wasGreeted, heldMs }: Attempt, before: History): History {
  const isStable = wasGreeted && heldMs >= stableMs;
  return {
    failures: isStable ? 0 : before.failures,
    isTokenRefused: isStable ? false : before.isTokenRefused,
    hasWebSocketWorked: before.hasWebSocketWorked || (wasGreeted && transport === "websocket"),
    hasSseWorked: before.hasSseWorked || (wasGreeted && transport === "sse"),
  };
}

function adviceOf(end: SourceEnd, { advice }: Attempt): number | null {
  const ms = end.kind === "refused" ? end.retryAfterMs : (advice ?? null);
  return ms === null ? null : Math.min(ms, longestAdviceMs);
}

function reasonOf(end: SourceEnd): WaitReason {
  if (end.kind === "closed") {
    if (end.code === closeCodes.restart.code) return "restart";
    if (end.code === closeCodes.try_later.code) return "try_later";
    if (end.code === closeCodes.too_slow.code) return "too_slow";
    return comingBack(end.code) === "later" ? "protocol_error" : "lost";
  }
  if (end.kind === "token_expired") return "unauthorized";
  if (end.kind === "unsupported") return "refused";
  if (end.kind === "refused") return end.status >= 500 || end.status === 429 ? "try_later" : "refused";
  return end.kind;
}

function messageOf(end: SourceEnd): string | null {
  return "message" in end ? end.message : null;
}

/** Who may come back later waits so long at least. */
const leastLaterMs = 4_500;
