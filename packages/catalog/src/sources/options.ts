import { InvalidOptionError, checkKeys, integer } from "@starcast/core";

/** Turns a parsed document into entries; throws when it is not the document it should be. */
export type ReadDocument<Entry> = (document: unknown) => readonly Entry[];

export interface FileSourceOptions<Entry> {
  /** Finds the entries in the document. @default the document is the list */
  readonly read?: ReadDocument<Entry> | undefined;
  /** A larger file is refused. @default 67_108_864 */
  readonly maxBodyBytes?: number | undefined;
}

/** Headers of every request, such as a key; asked for each time, so that a key may change. */
export type RequestHeaders =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

export interface HttpSourceOptions {
  /** Sent with every request, and nowhere else: redirects are not followed. @default none */
  readonly headers?: RequestHeaders | undefined;
  /** A larger body, after decompression, is refused. @default 67_108_864 */
  readonly maxBodyBytes?: number | undefined;
}

export interface UrlSourceOptions<Entry> extends HttpSourceOptions {
  /** Finds the entries in the document. @default the document is the list */
  readonly read?: ReadDocument<Entry> | undefined;
}

export interface ResolvedSourceOptions<Entry> {
  readonly read: ReadDocument<Entry>;
  readonly headers: RequestHeaders;
  readonly maxBodyBytes: number;
}

/** Complete and frozen; `known` are the options of this source. */
export function resolveSourceOptions<Entry>(
  options: UrlSourceOptions<Entry>,
  known: readonly string[],
): ResolvedSourceOptions<Entry> {
  checkKeys("source options", options, known);
  const { read, headers } = options;
  if (read !== undefined && typeof read !== "function") {
    throw new InvalidOptionError({ option: "read", expected: "a function from a document to entries", received: read });
  }
  if (headers !== undefined && typeof headers !== "function" && (typeof headers !== "object" || headers === null)) {
    throw new InvalidOptionError({
      option: "headers",
      expected: "an object, or a function that gives one",
      received: headers,
    });
  }
  return Object.freeze({
    // Whether it is a list is checked with the answer.
    read: read ?? ((document: unknown) => document as readonly Entry[]),
    headers: headers ?? {},
    maxBodyBytes: integer("maxBodyBytes", options.maxBodyBytes, 67_108_864, { min: 2, max: Infinity }),
  });
}

/** An http or https URL; throws `invalid_option` for another, without repeating what may hold a password. */
export function requireHttpUrl(option: string, given: string | URL): URL {
  const url = (typeof given === "string" || given instanceof URL) && URL.canParse(given) ? new URL(given) : null;
  if (
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.username === "" &&
    url.password === ""
  ) {
    return url;
  }
  throw new InvalidOptionError({
    option,
    expected: "an http or https URL without credentials (give them as headers)",
    ...(url === null ? { received: given, isSecret: true } : { received: url.protocol }),
  });
}
