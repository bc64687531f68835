import {
  checkKeys,
  compileFilter,
  flag,
  integer,
  InvalidOptionError,
  type CompiledFilter,
  type Filter,
  type StartingPoint,
} from "@starcast/core";
import {
  resolveConnectionOptions,
  type ConnectionOptions,
  type ResolvedConnectionOptions,
} from "./connection-options.ts";
import { parseMqttUrl, type Credentials, type MqttTarget } from "./mqtt-url.ts";
import { resolvePayload, type Payload, type ResolvedPayload } from "./payload-options.ts";
import {
  resolveStateOptions,
  resolveStatusOptions,
  type ResolvedStateOptions,
  type ResolvedStatusOptions,
  type StateOptions,
  type StatusOptions,
} from "./state-options.ts";
import { TopicTemplate } from "./topic-template.ts";
import { resolveTraceparent, type TraceparentOf } from "./trace-context.ts";

/** 0: at most once; 1: at least once; 2: at least once, too, across connections (see the README), but exactly once within one. */
export type Qos = 0 | 1 | 2;

/** How an event becomes a publication. */
export interface MessageOptions {
  /** With 1 each event is acknowledged by the MQTT broker, and nothing is lost. @default 1 */
  readonly qos?: Qos | undefined;
  /** Whether the MQTT broker keeps the last event of each topic; for the state of things use `state`. @default false */
  readonly retain?: boolean | undefined;
  /** What is in it; `envelope` is `{ id, type, timestamp, subject, data }`. @default "envelope" */
  readonly payload?: Payload | undefined;
  /** The MQTT broker forgets it for receivers that are away longer. Needs MQTT 5. @default never */
  readonly expirySeconds?: number | undefined;
  /** The content type that is said. Needs MQTT 5. @default none, but for CloudEvents */
  readonly contentType?: string | undefined;
  /**
   * Gives the W3C trace context of an event, such as one its data holds. It is said as a user property, which needs MQTT 5, or
   * as an attribute of a structured CloudEvent. @default none
   */
  readonly traceparent?: TraceparentOf | undefined;
}

/** What events of some types have otherwise; the first rule that matches counts. */
export interface MessageRule extends MessageOptions {
  /** Patterns of event types, such as `model.*`. */
  readonly types: readonly string[];
  /** @default the publisher's own */
  readonly topic?: string | undefined;
}

/** How a broker's events reach an MQTT broker. */
export interface MqttPublisherOptions extends MessageOptions, Filter {
  /** Where the MQTT broker is: mqtt, mqtts, ws or wss. */
  readonly url: string | URL;
  /** Where an event goes, such as `catalog/events/{type:levels}/{subject}`. */
  readonly topic: string;
  /** What its place in the log is kept under; a second publisher of a broker needs its own. @default "mqtt" */
  readonly name?: string | undefined;
  /**
   * Where it starts when the name was never used. Where several processes begin at once, "that moment" is of the one that
   * is first to hold the name: `earliest` misses nothing that another published before.
   * @default the newest event of that moment
   */
  readonly from?: StartingPoint | undefined;
  /** What some types have otherwise. @default none */
  readonly rules?: readonly MessageRule[] | undefined;
  /** Retained topics with the newest state of each thing. @default no mirror */
  readonly state?: StateOptions | false | undefined;
  /** The retained topic that says whether the publisher is there, and what was lost. @default on the topic starcast/<name>/status */
  readonly status?: StatusOptions | false | undefined;
  /** User name and password, or a function that is asked before each connection. @default those of the url, if any */
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>) | undefined;
  /**
   * Publications that the MQTT broker has not acknowledged, and gets again after an outage. Its Receive Maximum may lower it,
   * and QoS 2 over 3.1.1 does (to 16). @default 256
   */
  readonly maxInFlight?: number | undefined;
  /** The most that is sent, so that a backlog does not drown the receivers after an outage. @default Infinity */
  readonly maxEventsPerSecond?: number | undefined;
  /** How the connection is made and kept. @default as ConnectionOptions says */
  readonly connection?: ConnectionOptions | undefined;
}

/** What is known of publications of some types. */
export interface ResolvedRule {
  /** Null for the last one, which takes what is left. */
  readonly filter: CompiledFilter | null;
  readonly topic: TopicTemplate;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: ResolvedPayload;
  readonly expirySeconds: number | null;
  readonly contentType: string | null;
  readonly traceparent: TraceparentOf | null;
}

export interface ResolvedMqttPublisherOptions {
  readonly target: MqttTarget;
  readonly name: string;
  readonly filter: Filter;
  readonly from: StartingPoint | undefined;
  readonly rules: readonly ResolvedRule[];
  readonly state: ResolvedStateOptions | null;
  readonly status: ResolvedStatusOptions | null;
  readonly credentials: (() => Credentials | null | Promise<Credentials>) | null;
  readonly maxInFlight: number;
  readonly maxEventsPerSecond: number;
  readonly connection: ResolvedConnectionOptions;
  /** The options that only MQTT 5 can honour, by name. */
  readonly needsVersion5: readonly string[];
}

export const defaultOptions: {
  readonly name: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly maxInFlight: number;
  readonly maxEventsPerSecond: number;
} = Object.freeze({
  name: "mqtt",
  qos: 1,
  retain: false,
  maxInFlight: 256,
  maxEventsPerSecond: Infinity,
});

/** Most rules of one publisher. */
export const maxRules = 64;

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveMqttPublisherOptions(options: MqttPublisherOptions): ResolvedMqttPublisherOptions {
  checkKeys("MqttPublisherOptions", options, [
    "url",
    "topic",
    "types",
    "subjects",
    "name",
    "from",
    "rules",
    "state",
    "status",
    "credentials",
    "maxInFlight",
    "maxEventsPerSecond",
    "connection",
    ...messageKeys,
  ]);
  const { target, credentials } = parseMqttUrl("url", options.url);
  const name = checkName(options.name);
  compileFilter(options);
  const rules = resolveRules(options);
  const connection = resolveConnectionOptions(options.connection, target);
  const needsVersion5 = rules.flatMap((rule, index) =>
    version5Needs(rule, index === rules.length - 1 ? "" : `rules[${index}].`),
  );
  if (connection.protocol === "3.1.1" && needsVersion5.length > 0) {
    throw new InvalidOptionError({
      option: "connection.protocol",
      expected: `"5" or "auto", which ${needsVersion5.join(" and ")} needs`,
      received: "3.1.1",
    });
  }
  const state = resolveStateOptions(options.state);
  const status = resolveStatusOptions(options.status, name);
  if (status !== null && state?.topic.owns(status.topic) === true) {
    throw new InvalidOptionError({
      option: "status.topic",
      expected: `outside of \`state.topic\` (${state.topic.text}), whose topics are the mirror's alone`,
      received: status.topic,
    });
  }
  return Object.freeze({
    target,
    name,
    filter: Object.freeze({ types: options.types, subjects: options.subjects }),
    from: options.from,
    rules,
    state,
    status,
    credentials: resolveCredentials(options.credentials, credentials),
    maxInFlight: integer("maxInFlight", options.maxInFlight, defaultOptions.maxInFlight, { min: 1, max: 65_535 }),
    maxEventsPerSecond: integer("maxEventsPerSecond", options.maxEventsPerSecond, defaultOptions.maxEventsPerSecond, {
      min: 1,
      max: Infinity,
    }),
    connection,
    needsVersion5,
  });
}

const messageKeys = ["qos", "retain", "payload", "expirySeconds", "contentType", "traceparent"];

function checkName(name: unknown): string {
  if (name === undefined) return defaultOptions.name;
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw new InvalidOptionError({
    option: "name",
    expected: "1 to 64 letters, digits, hyphens and underscores",
    received: name,
  });
}

function resolveRules(options: MqttPublisherOptions): readonly ResolvedRule[] {
  const own = resolveRule("", null, options, options.topic, {});
  const rules: unknown = options.rules ?? [];
  if (!Array.isArray(rules) || rules.length > maxRules)
    throw new InvalidOptionError({ option: "rules", expected: `a list of at most ${maxRules} rules`, received: rules });
  const resolved = (options.rules ?? []).map((rule, index) => {
    const option = `rules[${index}]`;
    checkKeys(option, rule, ["types", "topic", ...messageKeys]);
    if (!Array.isArray(rule.types))
      throw new InvalidOptionError({ option: `${option}.types`, expected: "a list of patterns", received: rule.types });
    return resolveRule(`${option}.`, compileFilter({ types: rule.types }), rule, rule.topic ?? options.topic, options);
  });
  return Object.freeze([...resolved, own]);
}

function resolveRule(
  at: string,
  filter: CompiledFilter | null,
  rule: MessageOptions,
  topic: string,
  own: MessageOptions,
): ResolvedRule {
  return Object.freeze({
    filter,
    topic: new TopicTemplate(`${at}topic`, topic),
    qos: checkQos(`${at}qos`, rule.qos ?? own.qos),
    retain: flag(`${at}retain`, rule.retain ?? own.retain, defaultOptions.retain),
    payload: resolvePayload(`${at}payload`, rule.payload ?? own.payload),
    expirySeconds: resolveExpiry(`${at}expirySeconds`, rule.expirySeconds ?? own.expirySeconds),
    contentType: resolveContentType(`${at}contentType`, rule.contentType ?? own.contentType),
    traceparent: resolveTraceparent(`${at}traceparent`, rule.traceparent ?? own.traceparent),
  });
}

/** One of the three; throws `InvalidOptionError` for a fourth. */
export function checkQos(option: string, qos: unknown): Qos {
  if (qos === undefined) return defaultOptions.qos;
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw new InvalidOptionError({ option, expected: "0, 1 or 2", received: qos });
}

// MQTT 5, section 3.3.2.3.3: four bytes of seconds.
function resolveExpiry(option: string, seconds: unknown): number | null {
  return seconds === undefined ? null : integer(option, seconds, 0, { min: 0, max: 4_294_967_295 });
}

function resolveContentType(option: string, type: unknown): string | null {
  if (type === undefined) return null;
  // Printable ASCII, as HTTP has it.
  if (typeof type === "string" && /^[\x20-\x7e]{1,256}$/.test(type)) return type;
  throw new InvalidOptionError({ option, expected: 'a content type like "application/json"', received: type });
}

function version5Needs(rule: ResolvedRule, at: string): readonly string[] {
  const needs: string[] = [];
  if (rule.payload.kind === "cloudevents-binary") needs.push(`\`${at}payload\` with mode "binary"`);
  if (rule.expirySeconds !== null) needs.push(`\`${at}expirySeconds\``);
  if (rule.contentType !== null) needs.push(`\`${at}contentType\``);
  if (rule.traceparent !== null && rule.payload.kind !== "cloudevents-structured") needs.push(`\`${at}traceparent\``);
  return needs;
}

/** Where credentials come from at each connection; null for none. */
export function resolveCredentials(
  given: MqttPublisherOptions["credentials"],
  ofUrl: Credentials | null,
): ResolvedMqttPublisherOptions["credentials"] {
  if (given === undefined) return ofUrl === null ? null : () => ofUrl;
  if (typeof given === "function") return given;
  const checked = checkCredentials(given);
  return () => checked;
}

/** Credentials as they can be sent; throws without repeating them. */
export function checkCredentials(credentials: unknown): Credentials {
  const isObject = typeof credentials === "object" && credentials !== null;
  const username: unknown = isObject && "username" in credentials ? credentials.username : undefined;
  const password: unknown = isObject && "password" in credentials ? credentials.password : undefined;
  const isPassword = password === undefined || typeof password === "string" || password instanceof Uint8Array;
  if (typeof username === "string" && isPassword) return Object.freeze({ username, password });
  throw new InvalidOptionError({
    option: "credentials",
    expected: "{ username, password? } or a function that gives them",
    received: isObject ? {} : typeof credentials,
  });
}
