import { engine } from "#crypto";
import { invalidOption, shapeOf, WebhookError } from "./errors.ts";
import {
  resolveWebhookVerifierOptions,
  type PayloadKind,
  type ResolvedWebhookVerifierOptions,
  type WebhookVerifierOptions,
} from "./options.ts";
import { mountReceiver, type Receiver } from "./receive.ts";
import { reportWarning } from "./report-warning.ts";
import { checkSeenIds, MemorySeenIds, type SeenAttempt, type SeenIds } from "./seen-ids.ts";
import { contentHead } from "./signature.ts";
import { verifyBytes, type VerifiedWebhook } from "./verify.ts";
import { readData, readEvent, type WebhookData, type WebhookEventOf } from "./webhook-event.ts";
import { readWebhook, type WebhookRequest } from "./webhook-request.ts";

/** What a verifier makes of a webhook. */
export type Verified<Events, Payload extends PayloadKind = "event"> = Payload extends "data"
  ? WebhookData
  : WebhookEventOf<Events>;

/** What a handler gets: the event, and whether it was handled before. */
export type Received<Events, Payload extends PayloadKind = "event"> = Verified<Events, Payload> & {
  /** True when a handler has succeeded with this id before: the sender did not hear of it, and sent it again. */
  readonly isDuplicate: boolean;
};

/** Resolves when the event has been dealt with for good; rejects to have it sent again. */
export type WebhookHandler<Events, Payload extends PayloadKind = "event"> = (
  event: Received<Events, Payload>,
) => unknown;

/** The receiving side of Standard Webhooks 1.0: lets through only what the holder of a key signed, recently. */
export class WebhookVerifier<Events = Readonly<Record<string, unknown>>, Payload extends PayloadKind = "event"> {
  readonly #options: ResolvedWebhookVerifierOptions;
  readonly #seenIds: SeenIds | false;

  constructor(options: WebhookVerifierOptions<Events, Payload>) {
    this.#options = resolveWebhookVerifierOptions(options);
    this.#seenIds = this.#options.seenIds ?? new MemorySeenIds();
    if (this.#seenIds !== false) checkSeenIds(this.#seenIds);
  }

  /** Reads the raw bytes and resolves with the event; rejects with the check that failed. Remembers nothing. */
  async verify(request: WebhookRequest): Promise<Verified<Events, Payload>> {
    return this.#read(await this.#open(request));
  }

  /**
   * `verify`, then the handler, in the order that loses nothing: an id counts as handled only once its handler has
   * succeeded. Rejects with `replayed` for bytes that were taken before, with `handler_failed` if the handler did.
   */
  async handle(request: WebhookRequest, handler: WebhookHandler<Events, Payload>): Promise<Received<Events, Payload>> {
    checkHandler(handler);
    const webhook = await this.#open(request);
    const event = this.#read(webhook);
    const attempt = await this.#attemptOf(webhook);
    // The compiler does not see through the condition on `Payload`.
    const received = Object.freeze({ ...event, isDuplicate: await this.#begin(attempt) }) as unknown as Received<
      Events,
      Payload
    >;
    try {
      await handler(received);
    } catch (cause) {
      await this.#remember("fail", attempt);
      throw new WebhookError(
        "handler_failed",
        "Expected the handler to succeed, it failed: the sender will come again",
        { cause },
      );
    }
    await this.#remember("succeed", attempt);
    return received;
  }

  /** The whole endpoint: reads, verifies, runs the handler, and answers 204, 400, 405, 408, 413 or 500. */
  receive(handler: WebhookHandler<Events, Payload>): Receiver {
    checkHandler(handler);
    return mountReceiver(
      async (request) => this.handle(request, handler),
      (error) => this.#report(error),
    );
  }

  async #open(request: WebhookRequest): Promise<VerifiedWebhook> {
    const { keys, tolerance, now } = this.#options;
    const { headers, body } = await readWebhook(request, this.#options);
    return verifyBytes(headers, body, { keys, tolerance, now: now() });
  }

  #read(webhook: VerifiedWebhook): Verified<Events, Payload> {
    const { payload, events } = this.#options;
    // The vocabulary is the caller's word for what its sender sends; validators, where it has them, have run.
    return (payload === "data" ? readData(webhook) : readEvent(webhook, events)) as Verified<Events, Payload>;
  }

  async #attemptOf({ id, sentAt, body }: VerifiedWebhook): Promise<SeenAttempt> {
    // The content rather than the signature: of several signatures over the same content, a replay could show another one.
    const content = await engine.digest(contentHead(id, String(sentAt / 1000)), body);
    return { id, content, acceptableUntil: sentAt + this.#options.tolerance.pastMs + 1000 };
  }

  async #begin(attempt: SeenAttempt): Promise<boolean> {
    if (this.#seenIds === false) return false;
    let before: unknown;
    try {
      before = await this.#seenIds.begin(attempt);
    } catch (cause) {
      throw new WebhookError("seen_ids_failed", "Expected `seenIds` to tell what came before, it failed", { cause });
    }
    if (before === "first" || before === "repeated") return before === "repeated";
    if (before === "replayed") {
      throw new WebhookError(
        "replayed",
        "Expected an attempt that did not come before, got the same id, timestamp and body again",
      );
    }
    // A port that forgot its answer would otherwise let every replay in.
    throw new WebhookError(
      "seen_ids_failed",
      `Expected \`seenIds.begin\` to answer first, repeated or replayed, got ${shapeOf(before)}`,
    );
  }

  /** The handler has decided; a memory that fails now must not turn its success into a failure, or hide its failure. */
  async #remember(outcome: "succeed" | "fail", attempt: SeenAttempt): Promise<void> {
    if (this.#seenIds === false) return;
    try {
      await this.#seenIds[outcome](attempt);
    } catch (cause) {
      this.#report(
        new WebhookError("seen_ids_failed", `Expected \`seenIds\` to note that the handler did ${outcome}, it failed`, {
          cause,
        }),
      );
    }
  }

  /** Whoever listens must not change what the sender is told, nor end the process, be it at once or later. */
  #report(error: WebhookError): void {
    const failed = (cause: unknown): void =>
      reportWarning(new WebhookError("handler_failed", "Expected `onError` not to fail, it did", { cause }));
    try {
      Promise.resolve(this.#options.onError(error)).catch(failed);
    } catch (cause) {
      failed(cause);
    }
  }
}

function checkHandler(handler: unknown): void {
  if (typeof handler !== "function") throw invalidOption("handler", "a function that takes an event", handler);
}
