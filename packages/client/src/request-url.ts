import { invalidOption } from "./client-error.ts";
import type { Transport } from "./client-state.ts";

/** What a client asks for, and where. */
export interface Asked {
  readonly url: URL;
  readonly types: readonly string[] | null;
  readonly subjects: readonly string[] | null;
}

/** What one try asks for. */
export interface Tried extends Asked {
  readonly after: string;
  readonly transport: Transport;
}

/** Absolute, of http or https, without fragment. Relative ones need a page they are relative to. */
export function readUrl(url: unknown): URL {
  const page = globalThis as { readonly location?: { readonly href?: string } };
  try {
    const read = new URL(String(url), page.location?.href);
    read.protocol = read.protocol.replace("ws", "http");
    read.hash = "";
    if (/^https?:$/.test(read.protocol)) return read;
  } catch {
    // Said below, together with what can be read and not followed.
  }
  throw invalidOption("url", "a URL of http or ws, absolute outside a page", url);
}

/** The URL of one try. The place wins over whatever the URL itself says. Pure. */
export function requestUrl({ url, types, subjects, after, transport }: Tried): string {
  const { href } = url;
  const request = new URL(transport === "websocket" ? href.replace("http", "ws") : href);
  const query = request.searchParams;
  if (types !== null) query.set("types", types.join(","));
  if (subjects !== null) query.delete("subjects");
  for (const subject of subjects ?? []) query.append("subjects", subject);
  // The name that wins where the URL itself says another.
  query.set("lastEventId", after);
  return request.href;
}

/** What a position is kept under: it speaks only for the filter it was gained under. Pure. */
export function positionKey({ url, types, subjects }: Asked): string {
  const sorted = (patterns: readonly string[] | null): string => [...new Set(patterns)].sort().join(" ");
  return `starcast ${url.href} [${sorted(types)}] [${sorted(subjects)}]`;
}
