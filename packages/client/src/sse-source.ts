import { readRetryAfter } from "./back-off.ts";
import { endOfStatus, type End } from "./end.ts";
import type { Source, SourceListener, SourceRequest } from "./source.ts";
import { streamParser } from "./stream-parser.ts";

export interface StreamRequest extends SourceRequest {
  readonly fetch: typeof globalThis.fetch;
  readonly credentials: "omit" | "same-origin" | "include";
  readonly now: () => number;
}

/** Frames from an event stream read by fetch: with a token in a header, and an answer that says why it is none. */
export function openStream(request: StreamRequest, listener: SourceListener): Source {
  const abort = new AbortController();
  void readStream(request, listener, abort.signal).then((end) => {
    listener.end(end);
    // What is left of an answer that was not read to its end would hold its connection.
    abort.abort();
  });
  return { close: () => abort.abort() };
}

/** Never rejects. */
async function readStream(
  { fetch, url, token, credentials, now }: StreamRequest,
  listener: SourceListener,
  signal: AbortSignal,
): Promise<End> {
  let reason: "unreachable" | "lost" = "unreachable";
  try {
    const { status, headers, body } = await fetch(url, {
      headers: { accept: "text/event-stream", ...(token !== null && { authorization: `Bearer ${token}` }) },
      ...{ credentials, cache: "no-store", signal },
    });
    const reader = body?.getReader();
    if (status !== 200 || !/^text\/event-stream/i.test(headers.get("content-type") ?? ""))
      return endOfStatus(status, await readMessage(status, reader), readRetryAfter(headers.get("retry-after"), now()));
    reason = "lost";
    const push = streamParser({ retry: listener.retry, block: ({ data }) => listener.frame(data) });
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      listener.heard();
      if (!push(part.value)) return { next: "later", reason: "protocol_error", message: "a line is over 1 MiB" };
    }
  } catch {
    // Every network error is the same here (fetch tells pages nothing more): a connection lost, or none made.
  }
  return { next: "soon", reason };
}

/** What a gateway says to a developer, in the first piece of its answer; of others, nothing but the status. */
async function readMessage(
  status: number,
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<string> {
  let said = "no event stream";
  try {
    const answer = JSON.parse(new TextDecoder().decode((await reader?.read())?.value)) as { readonly message: unknown };
    said = String(answer.message).slice(0, 500);
  } catch {
    // No JSON: a page of a proxy, or nothing.
  }
  return `the server answered ${status}: ${said}`;
}
