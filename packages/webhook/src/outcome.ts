import { parseRetryAfter, type WaitWish } from "./retry-schedule.ts";

/** Why an attempt got no answer that could be read. Stable: metric labels, and what `deliveries.list` shows. */
export type FailureCategory =
  | "address_refused"
  | "dns_failed"
  | "dns_timed_out"
  | "connect_failed"
  | "connect_timed_out"
  | "tls_failed"
  | "reset"
  | "timed_out"
  | "invalid_answer"
  | "answer_head_too_large"
  | "request_refused"
  | "interrupted";

/** What came back of one attempt. */
export type Answer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: AnswerHeaders;
      /** The beginning of the body. */
      readonly body: Uint8Array;
    }
  | { readonly kind: "failed"; readonly category: FailureCategory };

/** The headers of an answer that mean something here. */
export interface AnswerHeaders {
  readonly retryAfter: string | null;
  /** `webhook-delivery`: `disable` turns the endpoint off, `abort-message` gives this delivery up. */
  readonly delivery: string | null;
}

/** What an attempt means for its delivery, and for the endpoint. */
export type Outcome =
  | { readonly kind: "succeeded"; readonly disables: boolean }
  | { readonly kind: "retry"; readonly category: string; readonly wish: WaitWish }
  | { readonly kind: "endpoint_gone"; readonly category: string }
  | { readonly kind: "aborted"; readonly category: string };

/**
 * Which answer of an endpoint means what: 2xx succeeds, 410 or `webhook-delivery: disable` disables, everything else is
 * retried, so that a receiver's bad deploy costs it no events. Pure: no clock, no network.
 */
export function readOutcome(answer: Answer, now: number): Outcome {
  if (answer.kind === "failed") return retry(answer.category, null, isTimeout(answer.category));
  const { status, headers } = answer;
  const category = `http_${status}`;
  const says = headers.delivery?.trim().toLowerCase();
  if (status >= 200 && status < 300) return { kind: "succeeded", disables: says === "disable" };
  if (status === 410 || says === "disable") return { kind: "endpoint_gone", category };
  if (says === "abort-message") return { kind: "aborted", category };
  return retry(category, parseRetryAfter(headers.retryAfter, now), status === 429);
}

/** The same where the endpoint has moved meanwhile: that its old address is gone ends nothing. */
export function outcomeAtOldAddress(outcome: Outcome): Outcome {
  return outcome.kind === "endpoint_gone" ? retry(outcome.category, null, false) : outcome;
}

/** The least wait after 429 or a timeout: the endpoint has more than it can do. */
export const overwhelmedWaitMs = 60_000;

function retry(category: string, retryAfterMs: number | null, isOverwhelmed: boolean): Outcome {
  return { kind: "retry", category, wish: { retryAfterMs, atLeastMs: isOverwhelmed ? overwhelmedWaitMs : 0 } };
}

function isTimeout(category: FailureCategory): boolean {
  return category === "timed_out" || category === "connect_timed_out" || category === "dns_timed_out";
}
