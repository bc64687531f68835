import {
  checkKeys,
  flag,
  integer,
  InvalidOptionError,
  type EventMap,
  type Gap,
  type StarcastError,
  type Vocabulary,
} from "@starcast/core";
import {
  resolveConnectionOptions,
  type ConnectionOptions,
  type ResolvedConnectionOptions,
} from "../connection-options.ts";
import { parseMqttUrl, type Credentials, type MqttTarget } from "../mqtt-url.ts";
import { checkQos, resolveCredentials, type Qos, type ResolvedMqttPublisherOptions } from "../options.ts";

/** What is followed, and what happens on the way. */
export interface FollowOptions<Events = EventMap> {
  /** Where the MQTT broker is: mqtt, mqtts, ws or wss. */
  readonly url: string | URL;
  /** Topic filters of events, such as `catalog/events/#`; the status topic, too, for gaps to be told. */
  readonly topics: string | readonly string[];
  /** Types the events, and checks them. @default every event */
  readonly events?: Vocabulary<Events> | undefined;
  /** With 1 an event that was asked for and not done with comes again. @default 1 */
  readonly qos?: Qos | undefined;
  /** For an own session at the MQTT broker, which keeps what is published while this client is away. @default none: only what comes while it is there */
  readonly clientId?: string | undefined;
  /** How long that session is kept (MQTT 5). @default 86_400 */
  readonly sessionExpirySeconds?: number | undefined;
  /** User name and password, or a function that is asked before each connection. @default those of the url, if any */
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>) | undefined;
  /** How the connection is made and kept. @default as ConnectionOptions says */
  readonly connection?: Omit<ConnectionOptions, "clientId" | "ackTimeoutMs" | "topicAliases"> | undefined;
  /** The topics cover every event of the log: a position that is left out is a gap then. @default false */
  readonly isComplete?: boolean | undefined;
  /** Told of events that will never come. @default EventsMissedError is thrown into the loop */
  readonly onGap?: ((gap: Gap) => void) | undefined;
  /** Told of messages that are no events, such as foreign ones. @default they are thrown into the loop */
  readonly onUnreadable?: ((topic: string, error: StarcastError) => void) | undefined;
  /** Told of each connection that ended or failed; `retryInMs` is null when other credentials are needed, which ends the loop. @default nobody */
  readonly onDisconnected?: ((error: StarcastError, retryInMs: number | null) => void) | undefined;
  /** Ids remembered, so that a repeated event comes once: above what a publisher has in flight. @default 10_000 */
  readonly maxSeenIds?: number | undefined;
  /** Ends the loop, without an error. @default none */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolvedFollowOptions<Events> {
  readonly target: MqttTarget;
  readonly topics: readonly string[];
  readonly events: Vocabulary<Events> | null;
  readonly qos: Qos;
  readonly clientId: string | null;
  readonly sessionExpirySeconds: number;
  readonly credentials: ResolvedMqttPublisherOptions["credentials"];
  readonly connection: ResolvedConnectionOptions;
  readonly isComplete: boolean;
  readonly onGap: ((gap: Gap) => void) | null;
  readonly onUnreadable: ((topic: string, error: StarcastError) => void) | null;
  readonly onDisconnected: ((error: StarcastError, retryInMs: number | null) => void) | null;
  readonly maxSeenIds: number;
  readonly signal: AbortSignal | null;
}

/** Most topic filters of one follower. */
export const maxTopicFilters = 64;

const defaults = Object.freeze({
  qos: 1,
  sessionExpirySeconds: 86_400,
  isComplete: false,
  maxSeenIds: 10_000,
} as const);

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveFollowOptions<Events>(options: FollowOptions<Events>): ResolvedFollowOptions<Events> {
  checkKeys("FollowOptions", options, knownKeys);
  const { target, credentials } = parseMqttUrl("url", options.url);
  const { sessionExpirySeconds } = options;
  const connection = resolveConnectionOptions({ ...options.connection, clientId: options.clientId }, target);
  return Object.freeze({
    target,
    topics: checkTopics(options.topics),
    events: options.events ?? null,
    qos: checkQos("qos", options.qos),
    clientId: connection.clientId,
    sessionExpirySeconds: integer("sessionExpirySeconds", sessionExpirySeconds, defaults.sessionExpirySeconds, {
      min: 1,
      max: 4_294_967_295,
    }),
    credentials: resolveCredentials(options.credentials, credentials),
    connection,
    isComplete: flag("isComplete", options.isComplete, defaults.isComplete),
    onGap: checkCallback("onGap", options.onGap),
    onUnreadable: checkCallback("onUnreadable", options.onUnreadable),
    onDisconnected: checkCallback("onDisconnected", options.onDisconnected),
    maxSeenIds: integer("maxSeenIds", options.maxSeenIds, defaults.maxSeenIds, { min: 1, max: 10_000_000 }),
    signal: options.signal ?? null,
  });
}

const knownKeys = [
  "url",
  "topics",
  "events",
  "qos",
  "clientId",
  "sessionExpirySeconds",
  "credentials",
  "connection",
  "isComplete",
  "onGap",
  "onUnreadable",
  "onDisconnected",
  "maxSeenIds",
  "signal",
];

function checkCallback<Callback>(option: string, callback: Callback | undefined): Callback | null {
  if (callback === undefined || typeof callback === "function") return callback ?? null;
  throw new InvalidOptionError({ option, expected: "a function", received: callback });
}

function checkTopics(topics: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(topics) ? topics : [topics];
  if (list.length > 0 && list.length <= maxTopicFilters && list.every(isTopicFilter)) return Object.freeze([...list]);
  throw new InvalidOptionError({
    option: "topics",
    expected: `1 to ${maxTopicFilters} topic filters like "catalog/events/#"`,
    received: topics,
  });
}

// MQTT 5, section 4.7.1: `#` is the whole last level, `+` a whole level.
function isTopicFilter(filter: unknown): filter is string {
  if (typeof filter !== "string" || filter === "" || filter.includes("\0") || Buffer.byteLength(filter) > 65_535)
    return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}
