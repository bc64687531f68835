import {
  compileFilter,
  formatPosition,
  parsePosition,
  isStarcastError,
  StarcastError,
  type CompiledFilter,
  type Position,
} from "@starcast/core";
import { parseKey, redactKey, type KeyRecord, type WebhookKey } from "@starcast/standard-webhooks";
import type { Ordering, PayloadFormat } from "./endpoint-options.ts";
import type { SecretBox } from "./secret-box.ts";
import { checkEndpointUrl, type UrlRules } from "./url-guard.ts";

/** Why an endpoint was turned off: it said so (410, `webhook-delivery: disable`), or it failed for days on end. */
export type DisabledReason = "gone" | "failing";

/** What an endpoint is doing. A paused one's deliveries wait; a disabled one gets no new ones. */
export type EndpointState =
  | { readonly kind: "active" }
  | { readonly kind: "paused"; readonly at: number }
  | { readonly kind: "disabled"; readonly at: number; readonly reason: DisabledReason; readonly position: Position };

/** A webhook receiver's record, as the service sees it: everything but its secrets. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly types: readonly string[] | undefined;
  readonly subjects: readonly string[] | undefined;
  readonly format: PayloadFormat;
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly ordering: Ordering;
  readonly allowHttp: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly state: EndpointState;
  readonly createdAt: number;
  /** Events after this place are its own; where it was put. */
  readonly startsAfter: Position;
  /** Since when nothing but failures; null while all is well. */
  readonly failingSince: number | null;
  /** Its keys, as they may be shown. */
  readonly keyLabels: readonly string[];
  readonly headerNames: readonly string[];
}

/** Everything kept of an endpoint. */
export interface EndpointRecord extends Omit<Endpoint, "keyLabels" | "headerNames"> {
  /** The name of the dispatcher it belongs to. */
  readonly dispatcher: string;
  readonly keys: readonly KeyRecord[];
  readonly headers: Readonly<Record<string, string>>;
  /** Events after this place are still to be taken from the log's past: what was missed while disabled. */
  readonly catchUp: { readonly after: Position } | null;
}

/** An endpoint ready for use. */
export interface LiveEndpoint {
  readonly record: EndpointRecord;
  readonly revision: number;
  /** Where its requests go; apart, since a URL puts its parts together at every look. */
  readonly origin: string;
  readonly path: string;
  readonly isUnlocked: boolean;
  /** False when the rules for URLs have become stricter since it was put: its deliveries fail as `address_refused`. */
  readonly isCallable: boolean;
  readonly filter: CompiledFilter;
  readonly keys: readonly WebhookKey[];
  /** Of every request: names and values in turn. */
  readonly headers: readonly string[];
}

/** What requests are known by, unless the endpoint's own headers say otherwise. */
const userAgent = "starcast-webhook";

/** The record made ready: filter compiled, keys parsed, once. */
export function enliven(record: EndpointRecord, revision: number, rules: Omit<UrlRules, "allowHttp">): LiveEndpoint {
  const url = new URL(record.url);
  return {
    record,
    revision,
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    isUnlocked: rules.unlocked.origins.has(url.origin),
    isCallable: isCallable(record, rules),
    filter: compileFilter({ types: record.types, subjects: record.subjects }),
    keys: record.keys.map((key) => parseKey(key)),
    headers: Object.entries({ "user-agent": userAgent, ...record.headers }).flat(),
  };
}

function isCallable({ url, allowHttp }: EndpointRecord, rules: Omit<UrlRules, "allowHttp">): boolean {
  try {
    checkEndpointUrl(url, { ...rules, allowHttp });
    return true;
  } catch {
    // What is wrong with it is told to whoever puts it again; each attempt says that it was refused.
    return false;
  }
}

/** The record without its secrets. */
export function describeEndpoint(record: EndpointRecord): Endpoint {
  const { keys, headers, catchUp: _catchUp, dispatcher: _dispatcher, ...shown } = record;
  return Object.freeze({
    ...shown,
    keyLabels: keys.map(({ key }) => redactKey(key)),
    headerNames: Object.keys(headers),
  });
}

/** The text kept in the store; secrets sealed when there is a key to seal with. */
export function formatEndpoint(record: EndpointRecord, box: SecretBox): string {
  const { keys, headers, ...open } = record;
  const secrets = JSON.stringify({ keys, headers });
  return JSON.stringify({
    version: 1,
    ...open,
    ratePerSecond: open.ratePerSecond === Infinity ? null : open.ratePerSecond,
    startsAfter: formatPosition(open.startsAfter),
    state:
      open.state.kind === "disabled" ? { ...open.state, position: formatPosition(open.state.position) } : open.state,
    catchUp: open.catchUp === null ? null : { after: formatPosition(open.catchUp.after) },
    secrets: box.canSeal ? box.seal(record.id, secrets) : (JSON.parse(secrets) as unknown),
  });
}

/** Reads what `formatEndpoint` wrote; throws `store_corrupt` for what it did not write, or cannot open. */
export function parseEndpoint(text: string, box: SecretBox): EndpointRecord {
  try {
    return openEndpoint(parseStored(text), box);
  } catch (error) {
    if (isStarcastError(error)) throw error;
    throw corrupt("one without some of its parts", error);
  }
}

function openEndpoint(stored: StoredEndpoint, box: SecretBox): EndpointRecord {
  const { id, secrets } = stored;
  const { keys, headers } = typeof secrets === "string" ? (parsed(box.open(id, secrets)) as Secrets) : secrets;
  if (!Array.isArray(keys) || keys.length === 0) throw corrupt("no keys");
  return {
    ...withoutSecrets(stored),
    // JSON has no Infinity: an overlap without end comes back as null.
    keys: keys.map(({ key, expiresAt }: StoredKey) => ({ key, expiresAt: expiresAt ?? Infinity })),
    headers,
  };
}

/** The same where the secrets cannot be opened, without any; null where nothing else can be read either. */
export function parseLocked(text: string): EndpointRecord | null {
  try {
    return { ...withoutSecrets(parseStored(text)), keys: [], headers: {} };
  } catch {
    return null;
  }
}

/** Whether its secrets lie readable, or sealed by a former key, where they need not. Only for what can be read. */
export function needsSealing(text: string, box: SecretBox): boolean {
  const { secrets } = parseStored(text);
  return box.canSeal && !(typeof secrets === "string" && box.isSealed(secrets));
}

/** The dispatcher that a stored endpoint belongs to; null where that cannot be read. */
export function ownerOf(text: string): string | null {
  return parseLocked(text)?.dispatcher ?? null;
}

// Written by `formatEndpoint` of this or an earlier version; the parts that would do harm if wrong are checked.
function parseStored(text: string): StoredEndpoint {
  const stored = parsed(text) as StoredEndpoint;
  if (stored.version !== 1) throw corrupt("another version");
  return stored;
}

function withoutSecrets({
  version: _,
  secrets: _secrets,
  ...rest
}: StoredEndpoint): Omit<EndpointRecord, keyof Secrets> {
  const { state, catchUp } = rest;
  return {
    ...rest,
    ratePerSecond: rest.ratePerSecond ?? Infinity,
    startsAfter: place(rest.startsAfter),
    state: state.kind === "disabled" ? { ...state, position: place(state.position) } : state,
    catchUp: catchUp === null ? null : { after: place(catchUp.after) },
    types: rest.types,
    subjects: rest.subjects,
  };
}

interface Secrets {
  readonly keys: readonly StoredKey[];
  readonly headers: Readonly<Record<string, string>>;
}

interface StoredKey {
  readonly key: string;
  readonly expiresAt?: number | null;
}

interface StoredEndpoint extends Omit<
  EndpointRecord,
  "keys" | "headers" | "ratePerSecond" | "startsAfter" | "state" | "catchUp"
> {
  readonly version: number;
  readonly ratePerSecond: number | null;
  readonly startsAfter: string;
  readonly state:
    | Exclude<EndpointState, { kind: "disabled" }>
    | { readonly kind: "disabled"; readonly at: number; readonly reason: DisabledReason; readonly position: string };
  readonly catchUp: { readonly after: string } | null;
  readonly secrets: string | Secrets;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: it shows some of the text, and that may be a key.
    throw corrupt("no JSON");
  }
}

function place(text: string): Position {
  const position = parsePosition(text);
  if (position === null) throw corrupt("a place that is none");
  return position;
}

function corrupt(got: string, cause?: unknown): StarcastError {
  return new StarcastError("store_corrupt", `Expected an endpoint as it was stored, got ${got}`, { cause });
}
