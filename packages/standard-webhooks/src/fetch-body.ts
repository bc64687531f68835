import { bodyAborted, BodyCollector, watchDeadline, type BodyLimits } from "./body-limits.ts";
import { alreadyParsed } from "./given-body.ts";

/** Reads the raw bytes of a Fetch `Request` within its limits; past them the rest is cancelled, not awaited. */
export async function readFetchBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  if (request.bodyUsed || request.body?.locked === true) throw alreadyParsed(undefined);
  const collector = new BodyCollector(limits, request.headers.get("content-length"));
  if (request.body === null) return collector.finish();
  const reader = request.body.getReader();
  let stop = (): void => undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    stop = watchDeadline(limits, reject);
  });
  try {
    await Promise.race([readAll(reader, collector), deadline]);
    return collector.finish();
  } catch (error) {
    // Whoever failed the stream knows already; there is nobody left to tell that its end is not wanted.
    reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    stop();
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, collector: BodyCollector): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw bodyAborted(error);
    });
    if (done) return;
    collector.add(value);
  }
}
