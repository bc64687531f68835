import { StarcastError } from "@starcast/core";
import type { Model } from "../model.ts";
import { checksumOf, parseBody } from "./body.ts";
import { httpGet } from "./http-get.ts";
import { requireHttpUrl, resolveSourceOptions } from "./options.ts";
import type { HttpSourceOptions } from "./options.ts";
import type { CatalogSource } from "./source.ts";
import { isKnown, readStarmapManifest, versionOf } from "./starmap-manifest.ts";
import { readStarmapPayload } from "./starmap-payload.ts";

/** A manifest is a page of facts; a larger one is none. */
export const maxManifestBytes = 65_536;

/**
 * The models of a Starmap server, by its base URL such as `https://catalog.example.com/api/v1`. The payload is decoded only
 * after its size and SHA-256 are those of the manifest; an older generation than the known one changes nothing.
 */
export function fromStarmap(baseUrl: string | URL, options: HttpSourceOptions = {}): CatalogSource<Model> {
  const base = requireHttpUrl("baseUrl", baseUrl);
  const { headers, maxBodyBytes } = resolveSourceOptions<Model>(options, ["headers", "maxBodyBytes"]);
  const get = async (path: string, accept: string, limit: number, signal: AbortSignal): Promise<Uint8Array> => {
    const answer = await httpGet({ url: below(base, path), headers, accept, maxBodyBytes: limit, etag: null, signal });
    if (answer.kind === "body") return answer.bytes;
    throw new StarcastError(
      "source_failed",
      "Expected a body of the source, got `not modified` although nothing was known",
    );
  };
  return async ({ known, signal }) => {
    const manifest = readStarmapManifest(
      parseBody(await get("catalog/manifest", mediaType("catalog-manifest"), maxManifestBytes, signal)),
    );
    if (isKnown(manifest, known)) return { kind: "unchanged" };
    const { generationId, sizeBytes, checksum } = manifest;
    if (sizeBytes > maxBodyBytes) {
      throw new StarcastError(
        "source_failed",
        `Expected a payload of at most ${maxBodyBytes} bytes (maxBodyBytes), got a manifest of ${sizeBytes}`,
      );
    }
    const bytes = await get(
      `catalog/generations/${encodeURIComponent(generationId)}/payload`,
      mediaType("catalog"),
      sizeBytes,
      signal,
    );
    if (bytes.byteLength !== sizeBytes) {
      throw new StarcastError(
        "source_failed",
        `Expected a payload of ${sizeBytes} bytes as its manifest says, got ${bytes.byteLength}`,
      );
    }
    if ((await checksumOf(bytes)) !== checksum) {
      throw new StarcastError("source_failed", "Expected a payload with the checksum of its manifest, got another");
    }
    return { kind: "catalog", entries: readStarmapPayload(parseBody(bytes)), version: versionOf(manifest) };
  };
}

function mediaType(what: string): string {
  return `application/vnd.agentstation.starmap.${what}+json`;
}

function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url;
}
