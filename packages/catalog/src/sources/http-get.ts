import { StarcastError } from "@starcast/core";
import { readBody } from "./body.ts";
import type { RequestHeaders } from "./options.ts";

export interface HttpGet {
  readonly url: URL;
  readonly headers: RequestHeaders;
  readonly accept: string;
  readonly maxBodyBytes: number;
  /** The version that need not be sent again; null asks for whatever there is. */
  readonly etag: string | null;
  readonly signal: AbortSignal;
}

export type HttpAnswer =
  { readonly kind: "unchanged" } | { readonly kind: "body"; readonly bytes: Uint8Array; readonly etag: string | null };

/**
 * One GET, decided by its status: 200 is a body, 304 says unchanged, 401 and 403 reject with `not_authorized`, everything
 * else with `source_failed`. Never follows a redirect, which could carry a key elsewhere.
 */
export async function httpGet({ url, headers, accept, maxBodyBytes, etag, signal }: HttpGet): Promise<HttpAnswer> {
  const own = typeof headers === "function" ? await headers() : headers;
  const conditional = etag === null ? {} : { "if-none-match": etag };
  const response = await fetch(url, { headers: { ...own, accept, ...conditional }, redirect: "manual", signal });
  try {
    return await readResponse(response, etag, maxBodyBytes);
  } catch (error) {
    // The rest of a body nobody reads would hold the connection; it may have ended already.
    await response.body?.cancel().catch(() => undefined);
    throw error;
  }
}

async function readResponse(response: Response, etag: string | null, maxBodyBytes: number): Promise<HttpAnswer> {
  const { status, body } = response;
  if (status === 304 && etag !== null) return { kind: "unchanged" };
  if (status === 401 || status === 403) {
    throw new StarcastError("not_authorized", `Expected the source to let us in, got ${status}: check \`headers\``);
  }
  if (status !== 200 || body === null) {
    throw new StarcastError("source_failed", `Expected status 200 of the source, got ${status}`);
  }
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > maxBodyBytes) {
    throw new StarcastError(
      "source_failed",
      `Expected a catalog of at most ${maxBodyBytes} bytes (maxBodyBytes), got ${announced}`,
    );
  }
  return { kind: "body", bytes: await readBody(body, maxBodyBytes), etag: response.headers.get("etag") };
}
