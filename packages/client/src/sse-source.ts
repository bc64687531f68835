import { readRetryAfter } from "./back-off.ts";
import type { SourceEnd } from "./next-step.ts";
import type { Source, SourceListener, SourceRequest } from "./source.ts";
import { StreamParser } from "./stream-parser.ts";

export interface StreamRequest extends SourceRequest {
  readonly credentials: "omit" | "same-origin" | "include";
  readonly now: () => number;
}

/** Frames from an event stream read by fetch: with a token in a header, and an answer that says why it is none. */
export function openStream(fetch: typeof globalThis.fetch, request: StreamRequest, listener: SourceListener): Source {
  const abort = new AbortController();
  const tell: SourceListener = {
    frame: (text) => void (abort.signal.aborted || listener.frame(text)),
    heard: () => void (abort.signal.aborted || listener.heard()),
    retry: (ms) => void (abort.signal.aborted || listener.retry(ms)),
    end: (end) => void (abort.signal.aborted || listener.end(end)),
  };
  void readStream(fetch, request, tell, abort.signal).then((end) => {
    tell.end(end);
    // What is left of an answer that was not read to its end would hold its connection.
    abort.abort();
  });
  return { sendToken: () => false, close: () => abort.abort() };
}

/** Never rejects. */
async function readStream(
  fetch: typeof globalThis.fetch,
  { url, token, credentials, now }: StreamRequest,
  listener: SourceListener,
  signal: AbortSignal,
): Promise<SourceEnd> {
  let isStream = false;
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (token !== null) headers["authorization"] = `Bearer ${token}`;
    const response = await fetch(url, { headers, credentials, cache: "no-store", signal });
    if (response.status !== 200 || !isEventStream(response)) return await readRefusal(response, now());
    listener.heard();
    isStream = true;
    return await readBody(response, listener);
  } catch {
    // Every network error is the same here (fetch tells pages nothing more): a connection lost, or none made.
    return { kind: isStream ? "lost" : "unreachable" };
  }
}

async function readBody(response: Response, listener: SourceListener): Promise<SourceEnd> {
  const parser = new StreamParser({
    // The type is in the frame as well.
    block: ({ data }) => listener.frame(data),
    retry: (ms) => listener.retry(ms),
  });
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    listener.heard();
    if (!parser.push(part.value))
      return { kind: "protocol_error", message: "Expected lines of at most 1 MiB, got a longer one" };
  }
  return { kind: "lost" };
}

async function readRefusal(response: Response, now: number): Promise<SourceEnd> {
  const { status, headers } = response;
  const retryAfterMs = readRetryAfter(headers.get("retry-after"), now);
  return { kind: "refused", status, retryAfterMs, message: await readMessage(response) };
}

/** What a gateway says to a developer; of others, nothing but the status. */
async function readMessage(response: Response): Promise<string> {
  if (response.status === 200) return "Expected an event stream, got another kind of answer";
  const said = `The server answered ${response.status}`;
  if (!isOfType(response, "application/json") || Number(response.headers.get("content-length") ?? 0) > 10_000)
    return said;
  const body: unknown = await response.json();
  const message: unknown = typeof body === "object" && body !== null && "message" in body ? body.message : undefined;
  return typeof message === "string" ? `${said}: ${message.slice(0, 500)}` : said;
}

function isEventStream(response: Response): boolean {
  return isOfType(response, "text/event-stream");
}

function isOfType(response: Response, type: string): boolean {
  return (response.headers.get("content-type") ?? "").toLowerCase().startsWith(type);
}
