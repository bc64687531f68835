import { parseBody } from "./body.ts";
import { httpGet } from "./http-get.ts";
import { requireHttpUrl, resolveSourceOptions } from "./options.ts";
import type { UrlSourceOptions } from "./options.ts";
import type { CatalogSource } from "./source.ts";

/** A catalog as a JSON document behind a URL; asks with the ETag of what was published last, so that 304 costs nothing. */
export function fromUrl<Entry>(url: string | URL, options: UrlSourceOptions<Entry> = {}): CatalogSource<Entry> {
  const target = requireHttpUrl("url", url);
  const { read, headers, maxBodyBytes } = resolveSourceOptions(options, ["read", "headers", "maxBodyBytes"]);
  return async ({ known, signal }) => {
    const answer = await httpGet({
      url: target,
      headers,
      accept: "application/json",
      maxBodyBytes,
      etag: known,
      signal,
    });
    if (answer.kind === "unchanged") return answer;
    return { kind: "catalog", entries: read(parseBody(answer.bytes)), version: answer.etag };
  };
}
