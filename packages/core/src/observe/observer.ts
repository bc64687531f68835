import type { ErrorCode } from "../errors.ts";
import type { CloseReason, Gap } from "../subscriber/subscriber.ts";

/**
 * Everything worth seeing, by kind, past tense. Packages add theirs by declaration merging:
 * `declare module "@starcast/core" { interface Moments { mqttConnected: { url: string } } }`. No payloads, no secrets.
 */
export interface Moments {
  eventPublished: { readonly id: string; readonly type: string; readonly sizeBytes: number };
  publishRefused: { readonly type: string; readonly code: ErrorCode; readonly message: string };
  subscriberOpened: { readonly subscriber: string };
  subscriberGapped: { readonly subscriber: string; readonly gap: Gap; readonly missed: number };
  subscriberFailed: { readonly subscriber: string; readonly error: unknown };
  subscriberClosed: { readonly subscriber: string; readonly reason: CloseReason };
  leaseLost: { readonly name: string };
  checkpointFailed: { readonly name: string; readonly error: unknown };
  logEnded: { readonly error: unknown };
  readFailed: { readonly after: number; readonly error: unknown };
  observerFailed: { readonly error: unknown };
  drainStarted: { readonly parts: number; readonly subscribers: number };
  drainCompleted: { readonly tookMs: number; readonly undone: readonly string[] };
  clientConnected: { readonly gateway: string; readonly clientId: string; readonly isResumed: boolean };
  clientRefused: { readonly gateway: string; readonly status: number; readonly code: string; readonly message: string };
  clientGapped: { readonly gateway: string; readonly clientId: string; readonly gap: Gap };
  clientStalled: { readonly gateway: string; readonly clientId: string; readonly stalledMs: number };
  clientClosed: {
    readonly gateway: string;
    readonly clientId: string;
    readonly reason: string;
    readonly code: number | null;
  };
  authorizeFailed: { readonly gateway: string; readonly error: unknown };
  proxySuspected: { readonly gateway: string; readonly message: string };
}

export type MomentLevel = "debug" | "info" | "warn";

/** One moment worth seeing: a union on `kind`. */
export type Moment = {
  readonly [Kind in keyof Moments]: { readonly kind: Kind; readonly level: MomentLevel } & Moments[Kind];
}[keyof Moments];

/** Sees moments. MUST return at once; a throw is caught and told to the others. */
export interface Observer {
  (moment: Moment): void;
  /** The lowest level it wants to see. @default "debug" */
  readonly level?: MomentLevel | undefined;
}
