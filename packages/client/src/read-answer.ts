import type { End } from "./end.ts";
import { readRetryAfter } from "./retry-after.ts";
import type { SourceListener } from "./source.ts";
import { streamParser } from "./stream-parser.ts";

/** Reads an answer to its end: an event stream, or one that says why it is none. Never rejects. */
export async function readAnswer(
  { status, headers, body }: Response,
  listener: SourceListener,
  now: () => number,
): Promise<End> {
  const reader = body?.getReader();
  if (status !== 200 || !/^text\/event-stream/i.test(headers.get("content-type") ?? ""))
    return endOfStatus(status, await readMessage(status, reader), readRetryAfter(headers.get("retry-after"), now()));
  const push = streamParser({ retry: listener.retry, block: ({ data }) => listener.frame(data) });
  try {
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      listener.heard();
      if (!push(part.value)) return { next: "later", reason: "protocol_error", message: "a line is over 1 MiB" };
    }
  } catch {
    // Cut off is ended as well.
  }
  return { next: "soon", reason: "lost" };
}

/** What an HTTP answer that is no stream means. Pure. */
export function endOfStatus(status: number, message: string, retryAfterMs: number | null): End {
  const said = { message, retryAfterMs };
  // A gateway answers 204 to who comes back and is no longer authorized, since an EventSource understands only that.
  if (status === 401 || status === 204) return { next: "renew", reason: "unauthorized", ...said };
  if (status === 403) return { next: "never", reason: "forbidden", ...said };
  if (status === 400 || status === 410) return { next: "never", reason: "refused", ...said };
  if (status >= 500) return { next: "soon", reason: "try_later", ...said };
  // Everything else may be a deployment, a proxy or a page that stands in: worth another look, not soon.
  return { next: "later", reason: status === 429 ? "try_later" : "refused", ...said };
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
