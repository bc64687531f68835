import type { IncomingMessage } from "node:http";

/** The URL that a request names; null for what is none, as `//`: anybody may send that, and it must not end the demo. */
export function requestUrl({ url = "/" }: IncomingMessage): URL | null {
  const base = "http://localhost";
  return URL.canParse(url, base) ? new URL(url, base) : null;
}
