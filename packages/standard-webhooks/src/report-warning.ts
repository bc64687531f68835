import { answerTo } from "./answer.ts";
import type { WebhookError } from "./errors.ts";

/**
 * What becomes of errors nobody asked for: a process warning when this side failed (Node, Bun, Deno), elsewhere the
 * platform's own report. Refused webhooks are no news: anyone can send rubbish, and the sender has its answer.
 */
export function reportWarning(error: WebhookError): void {
  if (answerTo(error).status < 500) return;
  const { process, reportError } = globalThis as Reporters;
  const news = error.cause instanceof Error ? error.cause : error;
  if (typeof process?.emitWarning === "function") process.emitWarning(news);
  else reportError?.(news);
}

interface Reporters {
  readonly process?: { readonly emitWarning?: (warning: Error) => void };
  readonly reportError?: (error: unknown) => void;
}
