import { invalidOption, type WebhookError } from "./errors.ts";
import { parseKeys, type KeyInput, type WebhookKey } from "./keys.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { reportWarning } from "./report-warning.ts";
import type { SeenIds } from "./seen-ids.ts";
import { resolveTolerance, type ResolvedTolerance, type Tolerance } from "./tolerance.ts";
import type { EventVocabulary } from "./webhook-event.ts";

/** What a body holds: an event, or JSON that says nothing of itself. */
export type PayloadKind = "event" | "data";

/** What a verifier trusts, and how much it takes. Unknown names are refused. */
export interface WebhookVerifierOptions<
  Events = Readonly<Record<string, unknown>>,
  Payload extends PayloadKind = "event",
> {
  /** One to ten keys, `whsec_` or `whpk_`, each with an expiry if you like: the present one and those on their way out. */
  readonly keys: KeyInput | readonly KeyInput[];
  /** The vocabulary that gives events their types, and checks their data where it has validators. @default none: any type, unknown data */
  readonly events?: EventVocabulary<Events> | undefined;
  /** `data` for senders who send bare data instead of events with a type. @default "event" */
  readonly payload?: Payload | undefined;
  /** How far `webhook-timestamp` may lie in the past and the future: what clocks and queues on the way need. @default 300_000 */
  readonly toleranceMs?: Tolerance | undefined;
  /** Larger bodies are refused unread: four times what a Starcast sender sends at most. @default 1_048_576 */
  readonly maxBodyBytes?: number | undefined;
  /** A body that drips in more slowly is refused: below the 15 s that senders wait. @default 10_000 */
  readonly bodyTimeoutMs?: number | undefined;
  /** What remembers handled webhooks; `false` leaves replays and repeated ids to the handler. @default new MemorySeenIds() */
  readonly seenIds?: SeenIds | false | undefined;
  /** Told of every webhook that `receive` did not answer with 204, and why. @default failures of this side as process warnings */
  readonly onError?: ((error: WebhookError) => unknown) | undefined;
  /** The present, in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
}

export interface ResolvedWebhookVerifierOptions {
  readonly keys: readonly WebhookKey[];
  readonly events: EventVocabulary<unknown> | undefined;
  readonly payload: PayloadKind;
  readonly tolerance: ResolvedTolerance;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly seenIds: SeenIds | false | undefined;
  readonly onError: (error: WebhookError) => unknown;
  readonly now: () => number;
}

/** How much is remembered in memory. */
export interface MemorySeenIdsOptions {
  /** More than come within `toleranceMs`, or replays pass: 160 a second here. About 10 MB when full; a week of one every ten seconds. @default 50_000 */
  readonly maxIds?: number | undefined;
}

const defaults: {
  readonly payload: PayloadKind;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly maxIds: number;
} = {
  payload: "event",
  maxBodyBytes: 1_048_576,
  bodyTimeoutMs: 10_000,
  maxIds: 50_000,
};

/** The longest wait that timers can hold. */
const maxTimerMs = 2 ** 31 - 1;

/** Complete and frozen; throws at the first option that cannot be used. */
export function resolveWebhookVerifierOptions<Events, Payload extends PayloadKind>(
  options: WebhookVerifierOptions<Events, Payload>,
): ResolvedWebhookVerifierOptions {
  refuseUnknown("options", options, [
    "keys",
    "events",
    "payload",
    "toleranceMs",
    "maxBodyBytes",
    "bodyTimeoutMs",
    "seenIds",
    "onError",
    "now",
  ]);
  const { events, seenIds, onError = reportWarning, now = Date.now } = options;
  const payload: unknown = options.payload ?? defaults.payload;
  if (payload !== "event" && payload !== "data") throw invalidOption("payload", '"event" or "data"', payload);
  if (events !== undefined && (typeof events?.has !== "function" || typeof events.validate !== "function")) {
    throw invalidOption("events", "a vocabulary such as defineEvents() makes", events);
  }
  if (typeof onError !== "function") throw invalidOption("onError", "a function", onError);
  if (typeof now !== "function") throw invalidOption("now", "a function", now);
  return Object.freeze({
    keys: parseKeys(options.keys, "verify"),
    events,
    payload,
    tolerance: resolveTolerance(options.toleranceMs),
    maxBodyBytes: count("maxBodyBytes", options.maxBodyBytes ?? defaults.maxBodyBytes, Number.MAX_SAFE_INTEGER),
    bodyTimeoutMs: count("bodyTimeoutMs", options.bodyTimeoutMs ?? defaults.bodyTimeoutMs, maxTimerMs),
    seenIds,
    onError,
    now,
  });
}

/** Complete and frozen; throws at the first option that cannot be used. */
export function resolveMemorySeenIdsOptions(options: MemorySeenIdsOptions): { readonly maxIds: number } {
  refuseUnknown("options", options, ["maxIds"]);
  return Object.freeze({ maxIds: count("maxIds", options.maxIds ?? defaults.maxIds, Number.MAX_SAFE_INTEGER) });
}

function count(option: string, value: unknown, max: number): number {
  if (value === Infinity) return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw invalidOption(option, `an integer from 1 to ${max}, or Infinity`, value);
}
