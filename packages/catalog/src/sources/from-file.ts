import { createReadStream } from "node:fs";
import { InvalidOptionError } from "@starcast/core";
import { checksumOf, parseBody, readBody } from "./body.ts";
import { resolveSourceOptions } from "./options.ts";
import type { FileSourceOptions } from "./options.ts";
import type { CatalogSource } from "./source.ts";

/**
 * A catalog as a JSON file. Who writes it should write another file and rename it: a file read half-written is refused as
 * JSON that is none, and read again at the next poll.
 */
export function fromFile<Entry>(path: string | URL, options: FileSourceOptions<Entry> = {}): CatalogSource<Entry> {
  if (path === "" || (typeof path !== "string" && !(path instanceof URL)))
    throw new InvalidOptionError({
      option: "path",
      expected: "the path of a JSON file, or a file: URL",
      received: path,
    });
  const { read, maxBodyBytes } = resolveSourceOptions(options, ["read", "maxBodyBytes"]);
  return async ({ known, signal }) => {
    const bytes = await readBody(createReadStream(path, { signal }), maxBodyBytes);
    // Times of files are coarse; the content is exact.
    const version = await checksumOf(bytes);
    if (version === known) return { kind: "unchanged" };
    return { kind: "catalog", entries: read(parseBody(bytes)), version };
  };
}
