import { readFileSync, readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname } from "node:path";

const folder = new URL("../page/", import.meta.url);

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing from elsewhere, nothing inline; isolated, so that the page may share memory with its worker and stall it. */
const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; trusted-types starcast; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** The files of the page, in memory: a request can name one of them, and nothing else. */
export class StaticFiles {
  readonly #files = new Map<string, { readonly body: Buffer; readonly type: string }>();

  constructor() {
    for (const name of readdirSync(folder)) {
      const type = contentTypes[extname(name)];
      if (type !== undefined) this.#files.set(`/${name}`, { body: readFileSync(new URL(name, folder)), type });
    }
  }

  /** False when there is no such file; then nothing was answered. */
  serve(path: string, response: ServerResponse): boolean {
    const file = this.#files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return false;
    response.writeHead(200, { ...headers, "content-type": file.type }).end(file.body);
    return true;
  }
}
