import { isLoopback, parseIp } from "./ip-address.ts";

/** Why a request may not come in, as an HTTP answer. */
export interface Objection {
  readonly status: 400 | 403;
  readonly code: "bad_request" | "host_refused" | "origin_refused";
  readonly message: string;
}

export interface HostFacts {
  readonly host: string | null;
  readonly isLoopbackListener: boolean;
  /** Lower-case, with or without port; null when the option is not given. */
  readonly allowedHosts: readonly string[] | null;
}

/**
 * Null when the Host may be asked. On a loopback listener a name that is not loopback's was pointed here by somebody
 * else's DNS (rebinding): a page of theirs would read local data. Pure.
 */
export function judgeHost({ host, isLoopbackListener, allowedHosts }: HostFacts): Objection | null {
  const name = host === null ? null : hostName(host);
  if (host === null || name === null) {
    return {
      status: 400,
      code: "bad_request",
      message: "Expected one well-formed Host header (RFC 9112, 3.2), got none",
    };
  }
  const asked = host.toLowerCase();
  if (allowedHosts?.some((allowed) => allowed === asked || allowed === name) === true) return null;
  if (isLoopbackListener) {
    if (isLoopbackName(name)) return null;
    return refusedHost("on a loopback address", host);
  }
  return allowedHosts === null ? null : refusedHost("with `allowedHosts`", host);
}

export interface OriginFacts {
  readonly origin: string | null;
  readonly host: string | null;
  readonly hasCookies: boolean;
  /** Exact, lower-case: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
}

/** Null when a page of this origin may read the stream: the same host, or exactly one that is allowed. Pure. */
export function judgeOrigin({ origin, host, hasCookies, allowedOrigins }: OriginFacts): Objection | null {
  if (origin === null) {
    // Browsers always send an Origin with an upgrade and with other origins' requests; same-origin GETs have none, but
    // then `Sec-Fetch-Site` says so, which is the caller's to know.
    if (!hasCookies) return null;
    return {
      status: 403,
      code: "origin_refused",
      message:
        "Expected an Origin header with a request that carries cookies, got none: send an Origin, or a token instead of cookies",
    };
  }
  if (allowedOrigins.includes(origin.toLowerCase())) return null;
  if (isSameHost(origin, host)) return null;
  return {
    status: 403,
    code: "origin_refused",
    message: `Expected the origin of this host, or one of \`allowedOrigins\`, got ${shown(origin)}: add it to the gateway's \`allowedOrigins\` option if its pages may read this stream`,
  };
}

/** The name in a Host header, lower-case, without port; null when it is not one. */
export function hostName(host: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*))(?::\d{1,5})?$/.exec(host.toLowerCase());
  return host.length > 260 ? null : (match?.[1] ?? null);
}

function isSameHost(origin: string, host: string | null): boolean {
  const match = /^(https?|wss?):\/\/([^/?#@\\]+)$/i.exec(origin);
  if (match === null || host === null || hostName(host) === null) return false;
  const [, scheme = "", authority = ""] = match;
  if (hostName(authority) === null) return false;
  const defaultPort = /s$/i.test(scheme) ? ":443" : ":80";
  return withoutDefaultPort(authority, defaultPort) === withoutDefaultPort(host, defaultPort);
}

function withoutDefaultPort(host: string, port: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(port) && (lower.startsWith("[") ? lower.endsWith(`]${port}`) : true)
    ? lower.slice(0, -port.length)
    : lower;
}

function isLoopbackName(name: string): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  const address = parseIp(name.startsWith("[") ? name.slice(1, -1) : name);
  return address !== null && isLoopback(address);
}

function refusedHost(where: string, host: string): Objection {
  return {
    status: 403,
    code: "host_refused",
    message: `Expected a Host that may be asked ${where}, got ${shown(host)}: add it to the gateway's \`allowedHosts\` option if it is yours`,
  };
}

// It goes into a body and a log: bounded, one line, quoted.
function shown(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}
