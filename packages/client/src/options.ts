import { ClientError, invalidOption } from "./client-error.ts";
import type { Transport } from "./client-state.ts";
import { readPlace } from "./place.ts";
import type { PositionStore } from "./position-store.ts";
import { readUrl } from "./request-url.ts";
import { realSurroundings, type Surroundings } from "./surroundings.ts";
import type { TypePattern } from "./typed-events.ts";
import type { EventVocabulary } from "./typed-events.ts";
import { boundedWarn, warnOnConsole, type Warn } from "./warnings.ts";
import type { WebSocketConstructor } from "./websocket-source.ts";

/** Why a token is wanted: the first for a connection, one in place of one that was refused, or that is about to end. */
export type TokenReason = "connecting" | "refused" | "expiring";

/** Gives the token of the moment; null for none. Rejecting is a failed try, and there will be another. */
export type GetToken = (reason: TokenReason) => string | null | Promise<string | null>;

export interface ConnectOptions<Events = Record<string, unknown>> {
  /** Where the gateways answer, both on one URL; relative ones are the page's, `ws` and `http` are the same. */
  readonly url: string | URL;
  /** The vocabulary of the server, for types and for `state` in replicas. @default none: every event, of unknown data */
  readonly events?: EventVocabulary<Events> | undefined;
  /** Patterns of types that are sent: `*` for one segment, `**` for the rest. @default everything that is granted */
  readonly types?: readonly TypePattern<Events>[] | undefined;
  /** Exact subjects, or prefixes ending in `*`. @default everything that is granted */
  readonly subjects?: readonly string[] | undefined;
  /** Where to begin when there is no saved position: a position, `earliest` or `latest`. @default "latest" */
  readonly after?: string | undefined;
  /** `auto`: WebSocket, and SSE where that does not come through. @default "auto" */
  readonly transport?: "auto" | Transport | undefined;
  /** Asked before every connection, and once more when the token was refused. @default none */
  readonly getToken?: GetToken | undefined;
  /** Keeps where to resume over reloads. @default none: as long as the client lives */
  readonly positions?: PositionStore | undefined;
  /** Whether SSE requests carry cookies, as fetch means it; WebSockets always do. @default "same-origin" */
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
  /** Events `for await` may fall behind before the connection is given up, to go on there later. @default 1_000 */
  readonly maxBufferedEvents?: number | undefined;
  /** Ends the client, as `close()` does. @default none */
  readonly signal?: AbortSignal | undefined;
  /** What the client stands on, for other runtimes and tests. @default the runtime's own */
  readonly runtime?: RuntimeOptions | undefined;
}

export interface RuntimeOptions {
  /** @default the runtime's `WebSocket`; without one, as in Node 20, `auto` is SSE */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** @default the runtime's `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Clock, timers and chance. @default the real ones */
  readonly surroundings?: Surroundings | undefined;
  /** Takes what a developer should see: an unheard gap, a listener that threw. @default console.warn */
  readonly warn?: Warn | undefined;
}

export interface ResolvedConnectOptions {
  readonly url: URL;
  readonly types: readonly string[] | null;
  readonly subjects: readonly string[] | null;
  readonly after: string;
  readonly transport: "auto" | Transport;
  readonly getToken: GetToken | null;
  readonly positions: PositionStore | null;
  readonly credentials: "omit" | "same-origin" | "include";
  readonly maxBufferedEvents: number;
  readonly webSocket: WebSocketConstructor | null;
  readonly fetch: typeof globalThis.fetch;
  readonly surroundings: Surroundings;
  readonly warn: Warn;
}

/** Complete, checked, frozen; throws `invalid_option` or `unsupported` at the first option that cannot be used. */
export function resolveConnectOptions<Events>(options: ConnectOptions<Events>): ResolvedConnectOptions {
  checkKeys("ConnectOptions", options, optionKeys);
  const runtime = options.runtime ?? {};
  checkKeys("runtime", runtime, ["webSocket", "fetch", "surroundings", "warn"]);
  const { after = "latest", maxBufferedEvents = 1_000, getToken, positions } = options;
  const host = globalThis as { readonly WebSocket?: WebSocketConstructor };
  const webSocket = runtime.webSocket ?? host.WebSocket ?? null;
  const asked = choice("transport", options.transport ?? "auto", ["auto", "websocket", "sse"]);
  if (asked === "websocket" && webSocket === null)
    throw new ClientError(
      "unsupported",
      "Expected a runtime with WebSocket, got none: give `runtime.webSocket`, or use SSE",
    );
  if (after !== "latest" && after !== "earliest" && readPlace(after) === null)
    throw invalidOption("after", '"earliest", "latest" or a position', after);
  if (maxBufferedEvents !== Infinity && !(Number.isInteger(maxBufferedEvents) && maxBufferedEvents >= 1))
    throw invalidOption("maxBufferedEvents", "an integer of at least 1, or Infinity", maxBufferedEvents);
  if (getToken !== undefined && typeof getToken !== "function")
    throw invalidOption("getToken", "a function that gives a token", getToken);
  if (positions !== undefined && (typeof positions?.load !== "function" || typeof positions.save !== "function"))
    throw invalidOption("positions", "{ load, save }", positions);
  return Object.freeze({
    url: readUrl(options.url),
    types: patterns("types", options.types),
    subjects: patterns("subjects", options.subjects),
    after,
    transport: asked === "auto" && webSocket === null ? "sse" : asked,
    getToken: getToken ?? null,
    positions: positions ?? null,
    credentials: choice("credentials", options.credentials ?? "same-origin", ["omit", "same-origin", "include"]),
    maxBufferedEvents,
    webSocket,
    // Called without an object, as browsers demand of theirs.
    fetch: runtime.fetch ?? ((input, init) => fetch(input, init)),
    surroundings: runtime.surroundings ?? realSurroundings,
    warn: boundedWarn(runtime.warn ?? warnOnConsole),
  });
}

const optionKeys = [
  ...["url", "events", "types", "subjects", "after", "transport", "getToken", "positions", "credentials"],
  ...["maxBufferedEvents", "signal", "runtime"],
];

/** Throws for keys that are none, since a misspelt option would be one that is not there. */
export function checkKeys(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw invalidOption(what, "an object", options);
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw invalidOption(`${what}.${key}`, `one of ${known.join(", ")}`, key);
}

function choice<Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((each) => each === value);
  if (found === undefined) throw invalidOption(option, choices.join(" or "), value);
  return found;
}

/** What the gateway takes is its to judge; what could not even be sent as a list is refused here. */
function patterns(option: string, value: readonly string[] | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= 64;
  if (!isList || !value.every((each) => typeof each === "string" && each !== ""))
    throw invalidOption(option, "a list of 1 to 64 patterns", value);
  return [...value];
}
