import { checkKeys, flag, integer, InvalidOptionError, oneOf } from "@starcast/core";
import type { BackOffLimits } from "./back-off.ts";
import type { MqttTarget } from "./mqtt-url.ts";

/** What Node's TLS takes, as far as it is wanted here. */
export interface TlsOptions {
  /** Certificates that are trusted. @default those Node trusts */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client's own certificate. @default none */
  readonly cert?: string | Buffer | undefined;
  /** Its key. @default none */
  readonly key?: string | Buffer | undefined;
  /** Of the key. @default none */
  readonly passphrase?: string | undefined;
  /** The name in the MQTT broker's certificate. @default the host of the url */
  readonly servername?: string | undefined;
  /** False trusts anyone: for tests only. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How the connection is made and kept. */
export interface ConnectionOptions {
  /** `auto` begins with MQTT 5, and speaks 3.1.1 with an MQTT broker that knows no more. @default "auto" */
  readonly protocol?: "auto" | "5" | "3.1.1" | undefined;
  /** Unique at the MQTT broker; two clients of one id throw each other out. @default made of the name and 12 random characters */
  readonly clientId?: string | undefined;
  /** Silence after which the MQTT broker is asked whether it is there; it ends the connection after 1.5 times this. 0 is never. @default 60 */
  readonly keepaliveSeconds?: number | undefined;
  /** From dialling to the answer of the MQTT broker. @default 30_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** A publication that is not acknowledged for so long ends the connection: finds a frozen MQTT broker. @default 30_000 */
  readonly ackTimeoutMs?: number | undefined;
  /** Full jitter below a ceiling that doubles from `minMs` to `maxMs`. @default { minMs: 1_000, maxMs: 30_000 } */
  readonly backOff?: { readonly minMs?: number | undefined; readonly maxMs?: number | undefined } | undefined;
  /** The wait when trying soon would do harm: a session taken over, a quota exceeded, credentials refused. @default 60_000 */
  readonly longWaitMs?: number | undefined;
  /** For `mqtts` and `wss`. @default {} */
  readonly tls?: TlsOptions | undefined;
  /** Headers of the upgrade, for `ws` and `wss`. @default {} */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Send each topic's name once per connection, where the MQTT broker allows aliases (MQTT 5): for slow lines. @default false */
  readonly topicAliases?: boolean | undefined;
}

export interface ResolvedConnectionOptions {
  readonly protocol: "auto" | "5" | "3.1.1";
  /** Null for one made by the publisher. */
  readonly clientId: string | null;
  readonly keepaliveSeconds: number;
  readonly connectTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly backOff: BackOffLimits;
  readonly longWaitMs: number;
  readonly tls: TlsOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly topicAliases: boolean;
}

const defaults = Object.freeze({
  keepaliveSeconds: 60,
  connectTimeoutMs: 30_000,
  ackTimeoutMs: 30_000,
  backOff: { minMs: 1_000, maxMs: 30_000 },
  longWaitMs: 60_000,
  protocol: "auto",
  topicAliases: false,
} as const);

const longestMs = 86_400_000;

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveConnectionOptions(
  given: ConnectionOptions | undefined,
  target: MqttTarget,
): ResolvedConnectionOptions {
  const options = given ?? {};
  checkKeys("connection", options, [
    "protocol",
    "clientId",
    "keepaliveSeconds",
    "connectTimeoutMs",
    "ackTimeoutMs",
    "backOff",
    "longWaitMs",
    "tls",
    "headers",
    "topicAliases",
  ]);
  const time = (name: "connectTimeoutMs" | "ackTimeoutMs" | "longWaitMs"): number =>
    integer(`connection.${name}`, options[name], defaults[name], { min: 10, max: longestMs });
  return Object.freeze({
    protocol: oneOf("connection.protocol", options.protocol, defaults.protocol, ["auto", "5", "3.1.1"]),
    clientId: checkClientId(options.clientId),
    keepaliveSeconds: integer("connection.keepaliveSeconds", options.keepaliveSeconds, defaults.keepaliveSeconds, {
      min: 0,
      max: 65_535,
    }),
    connectTimeoutMs: time("connectTimeoutMs"),
    ackTimeoutMs: time("ackTimeoutMs"),
    backOff: resolveBackOff(options.backOff),
    longWaitMs: time("longWaitMs"),
    tls: resolveTls(options.tls, target),
    headers: resolveHeaders(options.headers, target),
    topicAliases: flag("connection.topicAliases", options.topicAliases, defaults.topicAliases),
  });
}

// An empty id would let the MQTT broker choose one, which its log and its rules then do not know.
function checkClientId(clientId: unknown): string | null {
  if (clientId === undefined) return null;
  if (typeof clientId === "string" && /^[^\u0000-\u001f\u007f-\u009f\p{Surrogate}]{1,256}$/u.test(clientId))
    return clientId;
  throw new InvalidOptionError({
    option: "connection.clientId",
    expected: "1 to 256 characters without control characters",
    received: clientId,
  });
}

function resolveBackOff(options: ConnectionOptions["backOff"]): BackOffLimits {
  const given = checkKeys("connection.backOff", options ?? {}, ["minMs", "maxMs"]);
  const minMs = integer("connection.backOff.minMs", given.minMs, defaults.backOff.minMs, { min: 1, max: longestMs });
  const maxMs = integer("connection.backOff.maxMs", given.maxMs, Math.max(defaults.backOff.maxMs, minMs), {
    min: 1,
    max: longestMs,
  });
  if (maxMs >= minMs) return Object.freeze({ minMs, maxMs });
  throw new InvalidOptionError({
    option: "connection.backOff.maxMs",
    expected: `at least connection.backOff.minMs (${minMs})`,
    received: maxMs,
  });
}

function resolveTls(options: TlsOptions | undefined, { protocol }: MqttTarget): TlsOptions {
  if (options === undefined) return Object.freeze({});
  checkKeys("connection.tls", options, ["ca", "cert", "key", "passphrase", "servername", "rejectUnauthorized"]);
  if (protocol !== "mqtts" && protocol !== "wss") {
    throw new InvalidOptionError({
      option: "connection.tls",
      expected: "only with a url of mqtts or wss",
      received: options,
    });
  }
  flag("connection.tls.rejectUnauthorized", options.rejectUnauthorized, true);
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new InvalidOptionError({
      option: "connection.tls",
      expected: "both `cert` and `key`, or neither",
      received: options,
    });
  }
  return Object.freeze({ ...options });
}

function resolveHeaders(headers: unknown, { protocol }: MqttTarget): Readonly<Record<string, string>> {
  if (headers === undefined) return Object.freeze({});
  const isObject = typeof headers === "object" && headers !== null;
  const entries: [string, unknown][] = isObject ? Object.entries(headers) : [];
  if (
    !isObject ||
    entries.length > 100 ||
    !entries.every((entry): entry is [string, string] => typeof entry[1] === "string")
  ) {
    throw new InvalidOptionError({
      option: "connection.headers",
      expected: "at most 100 names with texts",
      received: {},
    });
  }
  if (protocol === "ws" || protocol === "wss") return Object.freeze(Object.fromEntries(entries));
  throw new InvalidOptionError({
    option: "connection.headers",
    expected: "only with a url of ws or wss",
    received: {},
  });
}
