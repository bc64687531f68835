import { InvalidOptionError } from "@starcast/core";
import { judgeAddress } from "./address-guard.ts";
import { parseIp, parseNetwork, type Network } from "./ip-address.ts";

/** What may be called beyond the public internet, read from the `allow` option. */
export interface Unlocked {
  /** Exact origins: neither scheme, name, port nor address of these is judged. */
  readonly origins: ReadonlySet<string>;
  readonly networks: readonly Network[];
}

export interface UrlRules {
  readonly unlocked: Unlocked;
  readonly ports: readonly number[];
  readonly allowHttp: boolean;
}

/** Reads `allow`: exact origins (`http://localhost:4000`) and networks (`10.1.0.0/16`); throws for anything else. */
export function parseUnlocked(allow: readonly string[]): Unlocked {
  const origins = new Set<string>();
  const networks: Network[] = [];
  const expected = 'a list of origins like "http://localhost:4000" and networks like "10.1.0.0/16"';
  if (!Array.isArray(allow)) throw new InvalidOptionError({ option: "allow", expected, received: allow });
  for (const entry of allow) {
    const network = parseNetwork(entry);
    const origin = network === null ? parseOrigin(entry) : null;
    if (network !== null) networks.push(network);
    else if (origin !== null) origins.add(origin);
    else throw new InvalidOptionError({ option: "allow", expected, received: entry });
  }
  return { origins, networks };
}

/** The URL of an endpoint, when it may be called at all; throws with the rule it breaks, and the option that unlocks it. */
export function checkEndpointUrl(text: unknown, rules: UrlRules): URL {
  const url = typeof text === "string" && text.length <= maxUrlLength ? parseUrl(text) : null;
  const fail = (expected: string): never => {
    throw new InvalidOptionError({
      option: "url",
      expected,
      received: url === null ? withoutSecrets(text) : url.origin,
    });
  };
  if (url === null) return fail(`an absolute URL of at most ${maxUrlLength} characters`);
  if (url.protocol !== "https:" && url.protocol !== "http:") return fail("an https URL");
  if (url.username !== "" || url.password !== "")
    return fail("a URL without user and password (use `headers` instead)");
  if (url.hash !== "") return fail("a URL without a fragment, which is never sent");
  if (rules.unlocked.origins.has(url.origin)) return url;
  if (url.protocol === "http:" && !rules.allowHttp)
    return fail("an https URL (or `allowHttp: true` for this endpoint)");
  if (!rules.ports.includes(portOf(url)))
    return fail(`a URL with a port of ${rules.ports.join(", ")} (option \`ports\`)`);
  const host = hostOf(url);
  const isLiteral = parseIp(host) !== null;
  if (isLiteral ? !judgeAddress(host, rules.unlocked.networks).isAllowed : isInternalName(host)) {
    return fail(`a public host (or unlock it for development: \`allow: ["${url.origin}"]\`)`);
  }
  return url;
}

// Who logs in, and the query, may be secrets, also where nothing of it can be parsed.
function withoutSecrets(url: unknown): unknown {
  return typeof url === "string" ? url.replace(/[?#][^]*$/, "").replace(/^[^]*@/, "") : url;
}

/** The host as it is dialled: without the brackets of IPv6, without a final dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** Names, without a final dot, that never belong to a public host: single labels, and what RFC 6761, 6762, 8375 and habit keep for the inside. */
export function isInternalName(host: string): boolean {
  const labels = host.toLowerCase().split(".");
  if (labels.length < 2 || labels.includes("")) return true;
  return internalSuffixes.some((suffix) => `.${labels.join(".")}`.endsWith(suffix));
}

/** Longest URL of an endpoint, in characters. */
export const maxUrlLength = 2_048;

const internalSuffixes: readonly string[] = [
  ".localhost",
  ".localdomain",
  ".local",
  ".internal",
  ".intranet",
  ".private",
  ".corp",
  ".home",
  ".lan",
  ".home.arpa",
  ".in-addr.arpa",
  ".ip6.arpa",
  ".test",
  ".example",
  ".invalid",
  ".onion",
  ".alt",
];

function parseOrigin(text: string): string | null {
  const url = parseUrl(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  // A host with a star parses; it would look like a pattern and match nothing.
  if (url.hostname.includes("*")) return null;
  // An origin and nothing more: a path here would promise a restriction that is not made.
  return text === url.origin || text === `${url.origin}/` ? url.origin : null;
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
