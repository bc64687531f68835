import type { End } from "./end.ts";
import type { Source, SourceListener, SourceRequest } from "./source.ts";

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
  // Every network error is the same here (fetch tells pages nothing more).
  let message: string | null = null;
  try {
    const answer = await fetch(url, {
      headers: { accept: "text/event-stream", ...(token !== null && { authorization: `Bearer ${token}` }) },
      ...{ credentials, cache: "no-store", signal },
    });
    // Most pages never read one. Loaded only now that the network is known to be there: browsers may take a module that
    // failed to load once for one that fails for ever.
    message = "the reader of streams could not be loaded";
    const { readAnswer } = await import("./read-answer.ts");
    return await readAnswer(answer, listener, now);
  } catch {
    return { next: "soon", reason: "unreachable", message };
  }
}
