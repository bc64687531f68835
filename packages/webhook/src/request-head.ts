import { AttemptError } from "./attempt-error.ts";

export interface RequestHead {
  /** Path and query. */
  readonly path: string;
  /** The origin's host, with its port where it is not the usual one. */
  readonly host: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly bodyBytes: number;
}

/** What stands before the body of a POST (RFC 9112, 3). Throws for what would end a line early: nothing of it is sent. */
export function formatRequestHead({ path, host, headers, bodyBytes }: RequestHead): string {
  let fields = "";
  let given = host;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? "";
    const value = headers[at + 1] ?? "";
    given += name + value;
    fields += `${name}: ${value}\r\n`;
  }
  // Checked where they enter; one test of all that others gave is what holds if one of them is forgotten.
  if (!visiblePath.test(path) || unwritable.test(given)) {
    throw new AttemptError("request_refused", "Expected a path and headers of visible ASCII, got others");
  }
  return `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${fields}content-length: ${bodyBytes}\r\n\r\n`;
}

const visiblePath = /^\/[\x21-\x7e]*$/;
const unwritable = /[^\t\x20-\x7e]/;
