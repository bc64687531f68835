import type { ClosedReason, WaitReason } from "./client-state.ts";

/** How a try ended: why, and whether to come back. */
export type End = {
  /** For a developer. */
  readonly message?: string;
  /** What an HTTP answer said about coming back. */
  readonly retryAfterMs?: number | null;
} & (
  | {
      /** With the usual back-off, after a while, or with another token. */
      readonly next: "soon" | "later" | "renew";
      readonly reason: WaitReason;
    }
  | { readonly next: "never"; readonly reason: ClosedReason }
);

/** What a close code of a WebSocket that had opened means; codes of nobody here (1001, 1006, a proxy's) a lost connection. Pure. */
export function endOfCode(code: number): End {
  // Core's `closeCodes` as a client sees them, in the few bytes that a page should pay; a test holds the two together.
  switch (code) {
    case 1000:
      return { next: "never", reason: "done" };
    case 1012:
      return { next: "soon", reason: "restart" };
    case 1013:
      return { next: "later", reason: "try_later" };
    case 4401:
      return { next: "renew", reason: "unauthorized" };
    case 4403:
      return { next: "never", reason: "forbidden" };
    case 4408:
      return { next: "soon", reason: "too_slow" };
  }
  if (/^10(0[23789]|11)$/.test(String(code))) return { next: "later", reason: "protocol_error" };
  return { next: "soon", reason: "lost" };
}

/** What an HTTP answer that is no stream means. Pure. */
export function endOfStatus(status: number, message: string, retryAfterMs: number | null): End {
  const said = { message, retryAfterMs };
  // A gateway answers 204 to who comes back and is no longer authorized, since an EventSource understands only that.
  if (status === 401 || status === 204) return { next: "renew", reason: "unauthorized", ...said };
  if (status === 403) return { next: "never", reason: "forbidden", ...said };
  if (status === 400 || status === 410) return { next: "never", reason: "refused", ...said };
  if (status >= 500) return { next: "soon", reason: "try_later", ...said };
  // Everything else may be a deployment, a proxy or a page that stands in: worth another look, not soon.
  return { next: "later", reason: status === 429 ? "try_later" : "refused", ...said };
}
