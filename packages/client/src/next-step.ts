import { backOffMs, longestAdviceMs, stableMs } from "./back-off.ts";
import type { ClientState, Transport } from "./client-state.ts";
import type { End } from "./end.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import type { Surroundings } from "./surroundings.ts";

/** The try that ended, and what is known of it. */
export interface Attempt {
  readonly transport: Transport;
  /** How long the connection held since the gateway greeted; null: it did not. */
  readonly heldMs: number | null;
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
  /** What has come through from here: WebSocket, if it ever did. */
  readonly proven: Transport | null;
}

export const noHistory: History = { failures: 0, isTokenRefused: false, proven: null };

/** What of the options bears upon it. */
export type Wishes = Pick<ResolvedConnectOptions, "transport" | "getToken"> & {
  readonly surroundings: Pick<Surroundings, "random">;
};

/** The state after a try ended, and what to remember. Pure but for the dice. */
export function nextStep(
  { next, reason, retryAfterMs, message = null }: End,
  { transport, heldMs, advice, retryMs }: Attempt,
  before: History,
  { transport: wish, getToken, surroundings }: Wishes,
): { state: ClientState; history: History } {
  const isStable = heldMs !== null && heldMs >= stableMs;
  const failures = isStable ? 0 : before.failures;
  const isTokenRefused = !isStable && before.isTokenRefused;
  const proven = heldMs === null || before.proven === "websocket" ? before.proven : transport;
  const after = (state: ClientState, known: Partial<History> = {}) => ({
    state,
    history: { failures: failures + 1, isTokenRefused, proven, ...known },
  });

  // Whatever stands in the way of a WebSocket, a stream may come through.
  if (
    wish === "auto" &&
    transport === "websocket" &&
    heldMs === null &&
    !/try_later|token_failed|unauthorized|forbidden|done/.test(reason)
  )
    return after({ kind: "connecting", reason: "unreachable", transport: "sse" }, { failures });
  if (next === "never") return after({ kind: "closed", reason, message });
  // A stream says by its advice what a WebSocket says by its code.
  if (next === "renew" || (reason === "lost" && advice === null))
    // Once more with a new token, then it is the application's turn.
    return getToken === null || isTokenRefused
      ? after({ kind: "closed", reason: "unauthorized", message })
      : after({ kind: "connecting", reason: "unauthorized", transport }, { isTokenRefused: true });

  const backOff = backOffMs(failures, surroundings.random);
  let ms = retryAfterMs ?? advice ?? null;
  if (ms === null) ms = next === "later" ? leastLaterMs + backOff : Math.max(retryMs, backOff);
  // Advice of zero is followed at once, unless the connection before it did not hold either.
  else if (next === "soon" && failures > 0) ms = Math.max(ms, backOff);
  return after({ kind: "waiting", reason, retryInMs: Math.min(ms, longestAdviceMs) });
}

/** The transport to begin with: WebSocket, unless only SSE has ever come through from here. Pure. */
export function firstTransport({ transport }: Pick<Wishes, "transport">, { proven }: History): Transport {
  return transport === "auto" ? (proven ?? "websocket") : transport;
}

/** Who may come back later waits so long at least. */
const leastLaterMs = 4_500;
