import type { Buffer } from "node:buffer";
import type { Dispatcher } from "undici";
import { categoryOf } from "./attempt-error.ts";
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

/** Who is told how it went. */
export interface AnswerListener {
  /** Told once: what the attempt gave. */
  readonly onEnd: (answer: Answer) => void;
  /** Told once, before that: the connection is free for the next request, or must be ended for this reason. */
  readonly onDone: (problem: FailureCategory | null) => void;
}

/**
 * Reads one answer, as much of it as the limits allow, and tells the outcome once. The status decides: once it is known,
 * a body that is cut off, too long or too slow changes nothing.
 */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #limits: AnswerLimits;
  readonly #listener: AnswerListener;
  #head: { readonly status: number; readonly headers: AnswerHeaders } | null = null;
  #interimAnswers = 0;
  #readBytes = 0;
  #keptBytes = 0;
  #kept: Buffer[] | null = null;
  #isEnded = false;

  constructor(limits: AnswerLimits, listener: AnswerListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Ends the attempt, with what is known by now; a second end says nothing more. */
  end(category: FailureCategory): void {
    this.#end(category, category);
  }

  // What makes it a handler of the present kind.
  onRequestStart(): void {}

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status >= 200) {
      this.#head = {
        status,
        headers: { retryAfter: single(headers["retry-after"]), delivery: single(headers["webhook-delivery"]) },
      };
    } else {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > maxInterimAnswers) this.end("invalid_answer");
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
    if (this.#readBytes > this.#limits.maxAnswerBytes) this.end("reset");
  }

  onResponseEnd(): void {
    this.#end("reset", null);
  }

  onResponseError(_: unknown, error: Error): void {
    this.end(categoryOf(error));
  }

  #end(category: FailureCategory, problem: FailureCategory | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#listener.onDone(problem);
    this.#listener.onEnd(this.#answer(category));
  }

  #answer(category: FailureCategory): Answer {
    if (this.#head === null) return { kind: "failed", category };
    const { status, headers } = this.#head;
    return {
      kind: "answered",
      status,
      headers,
      body: this.#kept === null ? nothing : concatenated(this.#kept, this.#keptBytes),
    };
  }
}

const nothing = new Uint8Array();

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
