import { withinLimit, type BodyLimits } from "./body-limits.ts";
import { invalidOption } from "./errors.ts";
import { readFetchBody } from "./fetch-body.ts";
import { readGivenBody } from "./given-body.ts";
import type { HeaderSource } from "./headers.ts";
import { readNodeBody, type NodeRequest } from "./node-body.ts";

/** A webhook as it may be handed over: a Fetch `Request`, a Node request, or headers with the raw body. */
export type WebhookRequest = Request | NodeRequest | GivenWebhook;

/** Headers and body as a framework gives them. `body` MUST be the raw bytes; `rawBody` wins where a framework keeps both. */
export interface GivenWebhook {
  readonly headers: HeaderSource;
  readonly body?: unknown;
  readonly rawBody?: unknown;
}

/** The headers and the raw bytes of a request of any kind; reads them itself where they still have to be read. */
export async function readWebhook(
  request: WebhookRequest,
  limits: BodyLimits,
): Promise<{ readonly headers: HeaderSource; readonly body: Uint8Array }> {
  if (
    typeof request !== "object" ||
    request === null ||
    typeof request.headers !== "object" ||
    request.headers === null
  ) {
    throw invalidOption(
      "request",
      "a Request (in Hono: c.req.raw, in SvelteKit, Astro and Remix: `request` of the argument), a Node request, or { headers, body }",
      request,
    );
  }
  const { headers } = request;
  if (isFetchRequest(request)) return { headers, body: await readFetchBody(request, limits) };
  if (isNodeRequest(request)) return { headers, body: await readNodeBody(request, limits) };
  return { headers, body: withinLimit(readGivenBody(request.rawBody ?? request.body), limits) };
}

// By shape: every runtime and framework has a Request class of its own.
function isFetchRequest(request: WebhookRequest): request is Request {
  return "arrayBuffer" in request && "bodyUsed" in request;
}

function isNodeRequest(request: WebhookRequest): request is NodeRequest {
  return "on" in request && "resume" in request;
}
