import { readFileSync, readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing from elsewhere, nothing inline, no text that becomes markup. */
const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; trusted-types 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The files of the built page, in memory: a request can name one of them, and nothing else. */
export class StaticFiles {
  readonly #files = new Map<string, { readonly body: Buffer; readonly type: string }>();

  constructor(folder: string) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = contentTypes[extname(entry.name)];
      const file = join(entry.parentPath, entry.name);
      const path = `/${relative(folder, file).split(sep).join("/")}`;
      if (entry.isFile() && type !== undefined) this.#files.set(path, { body: readFileSync(file), type });
    }
  }

  /** False when there is no such file; then nothing was answered. */
  serve(path: string, response: ServerResponse): boolean {
    const file = this.#files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return false;
    // What the builder names by its content stays as it is.
    const isNamedByContent = path.startsWith("/assets/");
    const caching = isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache";
    response.writeHead(200, { ...headers, "cache-control": caching, "content-type": file.type }).end(file.body);
    return true;
  }
}
