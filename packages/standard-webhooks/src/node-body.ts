import { bodyAborted, BodyCollector, watchDeadline, withinLimit, type BodyLimits } from "./body-limits.ts";
import { alreadyParsed, bytesOf } from "./given-body.ts";

/** What is used of `http.IncomingMessage`, so that these types need no Node types. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly httpVersionMajor?: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly destroyed?: boolean | undefined;
  readonly readableDidRead?: boolean | undefined;
  readonly readableEnded?: boolean | undefined;
  on(event: string, listener: (...args: never[]) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** Reads the raw bytes of a Node request within its limits, or takes those that a raw-body middleware kept. */
export async function readNodeBody(request: NodeRequest, limits: BodyLimits): Promise<Uint8Array> {
  const { rawBody, body } = request as { readonly rawBody?: unknown; readonly body?: unknown };
  // NestJS, Firebase and raw-body middlewares keep the bytes beside what they parsed; express.raw() puts them in `body`.
  const kept = bytesOf(rawBody) ?? bytesOf(body);
  if (kept !== undefined) return withinLimit(kept, limits);
  // A parser that found nothing to do leaves `body` as an empty object, and the stream unread: so only the stream tells.
  if (request.readableDidRead === true || request.readableEnded === true) throw alreadyParsed(body);
  if (request.destroyed === true) throw bodyAborted();
  return collect(request, new BodyCollector(limits, declaredLength(request)), limits);
}

/** Lets what is still on its way pass by, unkept, up to `maxBytes` and `maxMs`; then calls `onEnd`, once. */
export function discardRest(
  request: NodeRequest,
  limit: { readonly maxBytes: number; readonly maxMs: number },
  onEnd: () => void,
): void {
  let left = limit.maxBytes;
  const timer = setTimeout(finish, limit.maxMs);
  const onData = (piece: Uint8Array | string): void => {
    left -= piece.length;
    if (left < 0) finish();
  };
  function finish(): void {
    clearTimeout(timer);
    request.removeListener("data", onData);
    for (const event of endings) request.removeListener(event, finish);
    onEnd();
  }
  for (const event of endings) request.on(event, finish);
  request.on("data", onData);
  request.resume();
}

const endings = ["end", "close", "error"] as const;

function collect(request: NodeRequest, collector: BodyCollector, limits: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stop = watchDeadline(limits, fail);
    function onData(piece: Uint8Array | string): void {
      // Text means that somebody called setEncoding: the bytes are gone.
      if (typeof piece === "string") return fail(alreadyParsed(piece));
      try {
        collector.add(piece);
      } catch (error) {
        fail(error as Error);
      }
    }
    function onEnd(): void {
      settle();
      resolve(collector.finish());
    }
    function onGone(cause?: unknown): void {
      fail(bodyAborted(cause));
    }
    function fail(error: Error): void {
      settle();
      request.pause();
      reject(error);
    }
    function settle(): void {
      stop();
      request.removeListener("data", onData);
      request.removeListener("end", onEnd);
      request.removeListener("close", onGone);
      request.removeListener("error", onGone);
      // A request that breaks after it was judged must not end the process.
      request.on("error", ignore);
    }
    request.on("end", onEnd);
    request.on("close", onGone);
    request.on("error", onGone);
    request.on("data", onData);
  });
}

function declaredLength(request: NodeRequest): string | undefined {
  const declared = request.headers["content-length"];
  return typeof declared === "string" ? declared : undefined;
}

function ignore(): void {
  // What happens to a request after its answer is decided concerns nobody here.
}
