/** When a client that was closed may come back: with its usual back-off, after a while, or never by itself. */
export type ComingBack = "soon" | "later" | "never";

/** One way a connection ends. `reason` is what the close frame says, and stable. */
export interface CloseCode {
  readonly code: number;
  readonly reason: string;
  readonly comesBack: ComingBack;
}

/** Every close a gateway makes, by reason; what a client does about it stands beside it. */
export const closeCodes: {
  readonly [Reason in CloseReasonName]: CloseCode;
} = Object.freeze({
  /** The client asked for it. */
  done: { code: 1000, reason: "done", comesBack: "never" },
  protocol_error: { code: 1002, reason: "protocol_error", comesBack: "later" },
  binary_refused: { code: 1003, reason: "binary_refused", comesBack: "later" },
  invalid_text: { code: 1007, reason: "invalid_text", comesBack: "later" },
  too_many_messages: { code: 1008, reason: "too_many_messages", comesBack: "later" },
  too_large: { code: 1009, reason: "too_large", comesBack: "later" },
  failed: { code: 1011, reason: "failed", comesBack: "later" },
  restart: { code: 1012, reason: "restart", comesBack: "soon" },
  try_later: { code: 1013, reason: "try_later", comesBack: "later" },
  /** The grant has ended and no new token came. */
  unauthorized: { code: 4401, reason: "unauthorized", comesBack: "never" },
  /** The grant was taken back. */
  forbidden: { code: 4403, reason: "forbidden", comesBack: "never" },
  too_slow: { code: 4408, reason: "too_slow", comesBack: "soon" },
});

export type CloseReasonName =
  | "done"
  | "protocol_error"
  | "binary_refused"
  | "invalid_text"
  | "too_many_messages"
  | "too_large"
  | "failed"
  | "restart"
  | "try_later"
  | "unauthorized"
  | "forbidden"
  | "too_slow";

/** What a client does after a close with this code; codes that are not ours (1001, 1006, a proxy's) mean a lost connection. */
export function comingBack(code: number): ComingBack {
  return byCode.get(code) ?? "soon";
}

const byCode: ReadonlyMap<number, ComingBack> = new Map(
  Object.values(closeCodes).map(({ code, comesBack }) => [code, comesBack]),
);
