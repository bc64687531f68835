import type { Buffer } from "node:buffer";
import type { Dispatcher } from "undici";
import { AttemptError, categoryOf } from "./attempt-error.ts";
import type { Answer, AnswerHeaders, FailureCategory } from "./outcome.ts";

export interface AnswerLimits {
  readonly maxAnswerHeadBytes: number;
  /** Read at most; then the connection is destroyed, and the status still counts. */
  readonly maxAnswerBytes: number;
  /** Kept of the body, for people. */
  readonly keptAnswerBytes: number;
}

/** Interim answers (1xx) that are waited through; an endless stream of them is an attack, or a loop. */
export const maxInterimAnswers = 16;

/**
 * Reads one answer, as much of it as the limits allow, and tells the outcome once. The status decides: once it is known,
 * a body that is cut off, too long or too slow changes nothing.
 */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #limits: AnswerLimits;
  readonly #onEnd: (answer: Answer) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #head: { readonly status: number; readonly headers: AnswerHeaders } | null = null;
  #interimAnswers = 0;
  #readBytes = 0;
  #keptBytes = 0;
  #kept: Buffer[] | null = null;
  #isEnded = false;

  constructor(limits: AnswerLimits, onEnd: (answer: Answer) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  /** Ends the attempt from outside, with what is known by now. */
  end(category: FailureCategory): void {
    this.#end(category);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The attempt ended while the connection was still being made.
    if (this.#isEnded) controller.abort(cutOff("timed_out"));
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status >= 200) {
      this.#head = {
        status,
        headers: { retryAfter: single(headers["retry-after"]), delivery: single(headers["webhook-delivery"]) },
      };
    } else {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > maxInterimAnswers) this.#end("invalid_answer");
    }
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    const room = this.#limits.keptAnswerBytes - this.#keptBytes;
    if (room > 0) {
      const kept = chunk.subarray(0, room);
      this.#kept ??= [];
      this.#kept.push(kept);
      this.#keptBytes += kept.length;
    }
    this.#readBytes += chunk.length;
    if (this.#readBytes > this.#limits.maxAnswerBytes) this.#end("reset");
  }

  onResponseEnd(): void {
    this.#settle("reset");
  }

  onResponseError(_: unknown, error: Error): void {
    this.#settle(categoryOf(error));
  }

  #end(category: FailureCategory): void {
    if (this.#settle(category)) this.#controller?.abort(cutOff(category));
  }

  #settle(category: FailureCategory): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    this.#onEnd(
      this.#head === null
        ? { kind: "failed", category }
        : {
            kind: "answered",
            status: this.#head.status,
            headers: this.#head.headers,
            body: this.#kept === null ? nothing : concatenated(this.#kept, this.#keptBytes),
          },
    );
    return true;
  }
}

const nothing = new Uint8Array();

function cutOff(category: FailureCategory): AttemptError {
  return new AttemptError(category, `Expected a whole answer within the limits, got ${category}`);
}

function single(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
