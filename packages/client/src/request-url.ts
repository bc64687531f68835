import { invalidOption } from "./client-error.ts";
import type { Transport } from "./client-state.ts";

/** What a client asks for, besides where. */
export interface Asked {
  readonly types: readonly string[] | null;
  readonly subjects: readonly string[] | null;
  readonly after: string;
}

/** Absolute, of http or https, without fragment. Relative ones need a page they are relative to. */
export function readUrl(url: unknown): URL {
  const base = (globalThis as { readonly location?: { readonly href?: string } }).location?.href;
  const text = url instanceof URL ? url.href : url;
  if (typeof text !== "string" || !URL.canParse(text, base))
    throw invalidOption("url", base === undefined ? "an absolute URL, outside a page" : "a URL", url);
  const parsed = new URL(text, base);
  parsed.protocol = parsed.protocol.replace("ws", "http");
  if (!/^https?:$/.test(parsed.protocol)) throw invalidOption("url", "of http, https, ws or wss", url);
  parsed.hash = "";
  return parsed;
}

/** The URL of one try. The place wins over whatever the URL itself says. Pure. */
export function requestUrl(url: URL, transport: Transport, { types, subjects, after }: Asked): string {
  const request = new URL(url);
  if (transport === "websocket") request.protocol = request.protocol.replace("http", "ws");
  const query = request.searchParams;
  for (const older of ["lastEventId", "last_event_id"]) query.delete(older);
  if (types !== null) query.set("types", types.join(","));
  if (subjects !== null) {
    query.delete("subjects");
    for (const subject of subjects) query.append("subjects", subject);
  }
  query.set("after", after);
  return request.href;
}

/** What a position is kept under: it speaks only for the filter it was gained under. Pure. */
export function positionKey(url: URL, { types, subjects }: Omit<Asked, "after">): string {
  const sorted = (patterns: readonly string[] | null): string =>
    patterns === null ? "" : [...new Set(patterns)].toSorted().join(" ");
  return `starcast ${url.href} [${sorted(types)}] [${sorted(subjects)}]`;
}
