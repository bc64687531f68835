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
  readonly signal: AbortSignal | null;
  readonly webSocket: WebSocketConstructor | null;
  readonly fetch: typeof globalThis.fetch;
  readonly surroundings: Surroundings;
  readonly warn: Warn;
}

const isFunction = (value: unknown): boolean => typeof value === "function";

// What the gateway takes is its to judge; what could not even be sent as a list is refused here.
const isList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string" && each !== "");

/** What is demanded of options that are not as they are by default. */
const demands: readonly (readonly [option: keyof ConnectOptions, isMet: (value: never) => boolean, demand: string])[] =
  [
    ["types", isList, "a list of patterns"],
    ["subjects", isList, "a list of patterns"],
    ["after", (after: string) => after === "earliest" || readPlace(after) !== null, "a position, latest or earliest"],
    ["transport", (transport: string) => /^(websocket|sse)$/.test(transport), "auto, websocket or sse"],
    ["credentials", (credentials: string) => /^(omit|include)$/.test(credentials), "omit, same-origin or include"],
    ["getToken", isFunction, "a function"],
    ["positions", ({ load, save }: PositionStore) => isFunction(load) && isFunction(save), "{ load, save }"],
    ["maxBufferedEvents", (limit: number) => limit > 0, "a number above 0"],
    ["signal", ({ addEventListener }: AbortSignal) => isFunction(addEventListener), "an AbortSignal"],
  ];

/** Complete and checked; throws `invalid_option` or `unsupported` at the first option that cannot be used. */
export function resolveConnectOptions<Events>(options: ConnectOptions<Events>): ResolvedConnectOptions {
  const defaults = {
    url: "",
    events: null,
    types: null,
    subjects: null,
    after: "latest",
    transport: "auto",
    getToken: null,
    positions: null,
    credentials: "same-origin",
    maxBufferedEvents: 1_000,
    signal: null,
    runtime: {},
  } as const;
  const asked = withDefaults("options", options, defaults);
  const given: RuntimeOptions = asked.runtime;
  const { webSocket, ...runtime } = withDefaults("runtime", given, {
    webSocket: (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket ?? null,
    fetch: globalThis.fetch,
    surroundings: realSurroundings,
    warn: warnOnConsole,
  });
  for (const [option, isMet, demand] of demands) {
    const value = asked[option];
    // Whatever it is: that is what is found out.
    if (value !== defaults[option] && !isMet(value as never)) throw invalidOption(option, demand, value);
  }
  if (asked.transport === "websocket" && webSocket === null)
    throw new ClientError("unsupported", "No WebSocket here: give `runtime.webSocket`, or use SSE");
  return {
    ...asked,
    ...runtime,
    webSocket,
    url: readUrl(asked.url),
    transport: webSocket === null ? "sse" : asked.transport,
    warn: boundedWarn(runtime.warn),
  };
}

/** Every option, given or by default. Throws for keys that are none: a misspelt option would be one that is not there. */
export function withDefaults<Given extends object, const Defaults extends Readonly<Record<keyof Given, unknown>>>(
  what: string,
  given: Given,
  defaults: Defaults,
): { readonly [Option in keyof Given]-?: Exclude<Given[Option], undefined> | Defaults[Option] } {
  if (typeof given !== "object" || given === null) throw invalidOption(what, "an object", given);
  const all: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, key))
      throw invalidOption(`${what}.${key}`, `one of ${Object.keys(defaults).join(", ")}`, key);
    if (value !== undefined) all[key] = value;
  }
  // Keys of the one, values of either.
  return all as never;
}
