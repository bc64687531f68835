import type { ClosedReason, WaitReason } from "./client-state.ts";

/** How a try ended: why, and whether to come back. */
export type End = {
  /** For a developer. */
  readonly message?: string | null;
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
  const isProtocolError = /^10(0[23789]|11)$/.test(`${code}`);
  return (
    known[code] ?? (isProtocolError ? { next: "later", reason: "protocol_error" } : { next: "soon", reason: "lost" })
  );
}

// Core's `closeCodes` as a client sees them, in the few bytes that a page should pay; a test holds the two together.
const known: Readonly<Record<number, End>> = {
  1000: { next: "never", reason: "done" },
  1012: { next: "soon", reason: "restart" },
  1013: { next: "later", reason: "try_later" },
  4401: { next: "renew", reason: "unauthorized" },
  4403: { next: "never", reason: "forbidden" },
  4408: { next: "soon", reason: "too_slow" },
};
