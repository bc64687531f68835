import type { AnswerHeaders } from "./outcome.ts";

/** How much comes after the head (RFC 9112, 6.3). */
export type BodyLength =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "chunks" }
  | { readonly kind: "until_close" };

export interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: BodyLength;
  /** How long the receiver keeps the connection at least; 0 when it ends it now, Infinity when it says nothing. */
  readonly keptMs: number;
}

/**
 * Reads the head of an HTTP/1.x answer, without the empty line that ends it; null for what is none. Pure. What two
 * readers could understand differently (a length beside chunks, folded lines, stray line ends) is refused, not repaired.
 */
export function parseAnswerHead(text: string): AnswerHead | null {
  if (strayControls.test(text)) return null;
  const statusEnds = endOfLine(text, 0);
  const status = parseStatusLine(text.slice(0, statusEnds));
  if (status === null) return null;
  const fields = parseFields(text, statusEnds + 2);
  const body = fields === null ? null : lengthOf(status, fields);
  if (fields === null || body === null) return null;
  const { retryAfter, delivery } = fields;
  return {
    status,
    headers: retryAfter === null && delivery === null ? noHeaders : { retryAfter, delivery },
    body,
    keptMs: body.kind === "until_close" ? 0 : keptMsOf(text.startsWith("HTTP/1.1"), fields),
  };
}

const noHeaders: AnswerHeaders = { retryAfter: null, delivery: null };

// A line end is CR LF; either alone, or a NUL, means different things to different readers.
// oxlint-disable-next-line no-control-regex
const strayControls = /\r(?!\n)|(?<!\r)\n|\0/;
const statusLine = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/;
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\r\n", from);
  return end < 0 ? text.length : end;
}

function parseStatusLine(line: string): number | null {
  const status = statusLine.exec(line)?.[1];
  return status === undefined ? null : Number(status);
}

/** What matters of the fields; null each when it did not come. */
interface Fields {
  contentLength: string | null;
  transferEncoding: string | null;
  connection: string | null;
  keepAlive: string | null;
  retryAfter: string | null;
  delivery: string | null;
}

function parseFields(text: string, from: number): Fields | null {
  const fields: Fields = {
    contentLength: null,
    transferEncoding: null,
    connection: null,
    keepAlive: null,
    retryAfter: null,
    delivery: null,
  };
  for (let at = from; at < text.length;) {
    const end = endOfLine(text, at);
    const colon = text.indexOf(":", at);
    // A folded line begins with a space, which no name holds.
    if (colon < 0 || colon > end || !fieldName.test(text.slice(at, colon))) return null;
    if (!keep(fields, text.slice(at, colon).toLowerCase(), text.slice(colon + 1, end).trim())) return null;
    at = end + 2;
  }
  return fields;
}

/** False when the field may come only once, and came before. */
function keep(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case "content-length":
      if (fields.contentLength !== null) return false;
      fields.contentLength = value;
      break;
    case "transfer-encoding":
      fields.transferEncoding = joined(fields.transferEncoding, value);
      break;
    case "connection":
      fields.connection = joined(fields.connection, value);
      break;
    case "keep-alive":
      fields.keepAlive = value;
      break;
    case "retry-after":
      fields.retryAfter ??= value;
      break;
    case "webhook-delivery":
      fields.delivery ??= value;
      break;
  }
  return true;
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

const none: BodyLength = { kind: "none" };
const untilClose: BodyLength = { kind: "until_close" };

function lengthOf(status: number, { contentLength, transferEncoding }: Fields): BodyLength | null {
  if (status < 200 || status === 204 || status === 304) return none;
  if (transferEncoding !== null) {
    if (contentLength !== null) return null;
    return tokensOf(transferEncoding).at(-1) === "chunked" ? { kind: "chunks" } : untilClose;
  }
  if (contentLength === null) return untilClose;
  if (!/^\d{1,15}$/.test(contentLength)) return null;
  const bytes = Number(contentLength);
  return bytes === 0 ? none : { kind: "bytes", bytes };
}

function keptMsOf(isPersistent: boolean, { connection, keepAlive }: Fields): number {
  const tokens = connection === null ? [] : tokensOf(connection);
  if (tokens.includes("close") || (!isPersistent && !tokens.includes("keep-alive"))) return 0;
  const seconds = keepAlive === null ? null : /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(keepAlive)?.[1];
  return seconds === null || seconds === undefined ? Infinity : Number(seconds) * 1_000;
}

function tokensOf(list: string): readonly string[] {
  return list.toLowerCase().split(/[\t ]*,[\t ]*/);
}
