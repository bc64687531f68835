import { InvalidOptionError, checkKeys, compileFilter, flag, integer, oneOf } from "@starcast/core";
import { parseKey } from "@starcast/standard-webhooks";

/** What an endpoint gets of an event: the envelope, its data alone, or a CloudEvent (structured or binary). */
export type PayloadFormat = "envelope" | "data" | "cloudevents" | "cloudevents-binary";

/** Which deliveries of an endpoint wait for earlier ones: none, those of the same subject, all. */
export type Ordering = "none" | "subject" | "strict";

/** What an endpoint is, as the service says it. */
export interface EndpointOptions {
  /** 1 to 64 of [A-Za-z0-9_-], chosen by the service. */
  readonly id: string;
  /** Where deliveries are posted to: https, at a public host. */
  readonly url: string;
  /** Patterns of event types. @default everything */
  readonly types?: readonly string[] | undefined;
  /** Exact subjects, or prefixes ending in `*`. @default everything */
  readonly subjects?: readonly string[] | undefined;
  /** What is posted of an event: `envelope`, `data`, `cloudevents`, `cloudevents-binary`. @default "envelope" */
  readonly format?: PayloadFormat | undefined;
  /** Keys that sign, `whsec_` (v1) or `whsk_` (v1a); kept from before when left out. @default one new whsec_ key */
  readonly keys?: readonly string[] | undefined;
  /** Sent with every request, such as `authorization`. Kept like keys. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Attempts, and connections, at once, of each process; reached by and by, as the endpoint shows that it can take them. @default 8 */
  readonly concurrency?: number | undefined;
  /** Attempts per second at most, of each process. @default Infinity */
  readonly ratePerSecond?: number | undefined;
  /** Order costs speed: a delivery that waits for its retry holds up those behind it. @default "none" */
  readonly ordering?: Ordering | undefined;
  /** Plain http for this endpoint: what is signed can then be read on the way. @default false */
  readonly allowHttp?: boolean | undefined;
  /** For the service itself; never sent. @default none */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ResolvedEndpointOptions {
  readonly id: string;
  readonly url: string;
  readonly types: readonly string[] | undefined;
  readonly subjects: readonly string[] | undefined;
  readonly format: PayloadFormat;
  /** Undefined: those it has, or a new one. */
  readonly keys: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly ordering: Ordering;
  readonly allowHttp: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Complete, checked, frozen; the URL is checked where the rules for it are known. */
export function resolveEndpointOptions(options: EndpointOptions): ResolvedEndpointOptions {
  checkKeys("endpoint", options, knownKeys);
  const { types, subjects, keys } = options;
  compileFilter({ types, subjects });
  return Object.freeze({
    id: checkEndpointId(options.id),
    url: options.url,
    types: types && Object.freeze([...types]),
    subjects: subjects && Object.freeze([...subjects]),
    format: oneOf("format", options.format, "envelope", formats),
    keys: keys === undefined ? undefined : checkKeysToSign(keys),
    headers: checkHeaders(options.headers ?? {}),
    concurrency: integer("concurrency", options.concurrency, 8, { min: 1, max: 256 }),
    ratePerSecond: integer("ratePerSecond", options.ratePerSecond, Infinity, { min: 1, max: Infinity }),
    ordering: oneOf("ordering", options.ordering, "none", orderings),
    allowHttp: flag("allowHttp", options.allowHttp, false),
    metadata: checkMetadata(options.metadata ?? {}),
  });
}

/** Throws `invalid_option` unless it is 1 to 64 of [A-Za-z0-9_-]. */
export function checkEndpointId(id: unknown): string {
  if (typeof id === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(id)) return id;
  throw new InvalidOptionError({ option: "id", expected: "1 to 64 of A-Z, a-z, 0-9, _ and -", received: id });
}

/** Headers of one endpoint. */
export const maxHeaders = 20;

/** Longest header value, in characters. */
export const maxHeaderLength = 4_096;

/** Entries of metadata; each name and value is at most `maxHeaderLength` long. */
export const maxMetadata = 50;

/** Keys that sign one delivery. */
export const maxKeys = 10;

const formats: readonly PayloadFormat[] = ["envelope", "data", "cloudevents", "cloudevents-binary"];
const orderings: readonly Ordering[] = ["none", "subject", "strict"];
const knownKeys: readonly (keyof EndpointOptions)[] = [
  "id",
  "url",
  "types",
  "subjects",
  "format",
  "keys",
  "headers",
  "concurrency",
  "ratePerSecond",
  "ordering",
  "allowHttp",
  "metadata",
];

function checkKeysToSign(keys: readonly string[]): readonly string[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > maxKeys) {
    throw new InvalidOptionError({
      option: "keys",
      expected: `a list of 1 to ${maxKeys} keys`,
      received: keys,
      isSecret: true,
    });
  }
  for (const key of keys) checkKeyToSign("keys", key);
  return Object.freeze([...keys]);
}

/** Throws for what is no key, and `invalid_option` for one that can only verify. */
export function checkKeyToSign(option: string, key: string): void {
  if (parseKey(key).kind !== "public") return;
  throw new InvalidOptionError({ option, expected: "a key that can sign (whsec_ or whsk_)", received: "whpk_" });
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
// Visible ASCII, spaces and tabs within: RFC 9110 5.5 without its obsolete bytes.
const fieldValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const reserved =
  /^(?:host|connection|content-length|content-type|content-encoding|transfer-encoding|upgrade|keep-alive|te|trailer|expect|accept-encoding|proxy-.*|webhook-.*|ce-.*)$/;

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = entriesOf("headers", headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (entries.length > maxHeaders)
    throw new InvalidOptionError({ option: "headers", expected: `at most ${maxHeaders} headers`, received: entries });
  const known = new Set<string>();
  for (const [name, value] of entries) {
    if (known.has(name))
      throw new InvalidOptionError({ option: "headers", expected: "each name once", received: name });
    known.add(name);
    // A header's value may be a secret: only its name is ever shown.
    if (!token.test(name) || reserved.test(name)) {
      throw new InvalidOptionError({
        option: "headers",
        expected: "names that are not the transport's own",
        received: name,
      });
    }
    if (typeof value !== "string" || value.length > maxHeaderLength || !fieldValue.test(value)) {
      throw new InvalidOptionError({
        option: `headers.${name}`,
        expected: `1 to ${maxHeaderLength} visible ASCII characters`,
        received: value,
        isSecret: true,
      });
    }
  }
  return Object.freeze(Object.fromEntries(entries));
}

function entriesOf(option: string, texts: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  if (typeof texts === "object" && !Array.isArray(texts)) return Object.entries(texts);
  throw new InvalidOptionError({ option, expected: "an object of texts", received: texts, isSecret: true });
}

function checkMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = entriesOf("metadata", metadata);
  const isFine =
    entries.length <= maxMetadata &&
    entries.every(
      ([name, value]) => name.length <= maxHeaderLength && typeof value === "string" && value.length <= maxHeaderLength,
    );
  if (!isFine)
    throw new InvalidOptionError({
      option: "metadata",
      expected: `at most ${maxMetadata} texts of at most ${maxHeaderLength} characters`,
      received: metadata,
    });
  return Object.freeze(Object.fromEntries(entries));
}
