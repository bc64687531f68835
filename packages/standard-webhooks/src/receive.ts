import { accepted, answerTo, type Answer } from "./answer.ts";
import { invalidOption, WebhookError } from "./errors.ts";
import { discardRest, type NodeRequest } from "./node-body.ts";
import type { WebhookRequest } from "./webhook-request.ts";

/** A whole webhook endpoint, to be mounted as it is: its members are bound. */
export interface Receiver {
  /** For node:http, Express, Fastify (its raw request) and NestJS. Always answers; rejects only what is no response. */
  readonly node: (request: NodeRequest, response: NodeResponse) => Promise<void>;
  /** For everything that speaks Fetch: Hono, Next.js, Bun, Deno, workers. Always answers, never rejects. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** What is used of `http.ServerResponse` and of its like in HTTP/2, so that these types need no Node types. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly destroyed?: boolean | undefined;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(chunk: string): unknown;
  end(): unknown;
  end(chunk: string): unknown;
}

/** Answers each request with what `handle` made of it, and tells `onError` of all that were not accepted. */
export function mountReceiver(
  handle: (request: WebhookRequest) => Promise<unknown>,
  onError: (error: WebhookError) => void,
): Receiver {
  async function answer(request: NodeRequest | Request): Promise<Answer> {
    try {
      // What has no method is no request, but perhaps the context of a framework: `handle` says what to hand over.
      if ((request?.method ?? "POST") !== "POST")
        throw new WebhookError("method_not_allowed", "Expected POST: webhooks are posted");
      await handle(request);
      return accepted;
    } catch (error) {
      onError(
        error instanceof WebhookError
          ? error
          : new WebhookError("handler_failed", "The receiver failed", { cause: error }),
      );
      return answerTo(error);
    }
  }
  return Object.freeze({
    node: async (request: NodeRequest, response: NodeResponse) => {
      if (typeof response?.writeHead !== "function") {
        throw invalidOption(
          "response",
          "an http.ServerResponse (in Fastify: reply.raw, after reply.hijack())",
          response,
        );
      }
      writeNode(request, response, await answer(request));
    },
    fetch: async (request: Request) => {
      const { status, headers, body } = await answer(request);
      return new Response(body === "" ? null : body, { status, headers: withoutConnection(headers) });
    },
  });
}

/** How much of a refused body is let pass, and how long, so that a sender still writing it can read the answer. */
const linger = { maxBytes: 1_048_576, maxMs: 1000 };

function writeNode(request: NodeRequest, response: NodeResponse, { status, headers: all, body }: Answer): void {
  if (response.headersSent || response.destroyed === true) return;
  // HTTP/2 has no such header (RFC 9113, 8.2.2).
  const headers = request.httpVersionMajor === 2 ? withoutConnection(all) : all;
  if (status === 204) {
    response.writeHead(status, headers);
    response.end();
    return;
  }
  // The length is in bytes, and messages are not only ASCII.
  response.writeHead(status, { ...headers, "content-length": String(encoder.encode(body).byteLength) });
  if (status !== 413 || typeof request.resume !== "function") {
    response.end(body);
    return;
  }
  // Ending at once would reset the connection under a sender who is still writing, and take the answer with it.
  response.write(body);
  discardRest(request, linger, () => response.end());
}

/** Fetch servers own their connections; some refuse the header. */
function withoutConnection(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "connection"));
}

const encoder = new TextEncoder();
