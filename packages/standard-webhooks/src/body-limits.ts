import { WebhookError } from "./errors.ts";

/** How much of a body is read, and for how long. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** Collects a body piece by piece; never holds more than its limit. */
export class BodyCollector {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(limits: BodyLimits, declaredLength: string | null | undefined) {
    this.#maxBytes = limits.maxBodyBytes;
    // What says itself that it is too large need not be read at all.
    if (Number(declaredLength ?? 0) > limits.maxBodyBytes) throw tooLarge(this.#maxBytes);
  }

  add(piece: Uint8Array): void {
    this.#size += piece.byteLength;
    if (this.#size > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#pieces.push(piece);
  }

  /** The whole body; without a copy when it came in one piece. */
  finish(): Uint8Array {
    const [first] = this.#pieces;
    if (first !== undefined && this.#pieces.length === 1) return first;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  }
}

/** The bytes of a body that was read before, if they are no more than may be read. */
export function withinLimit(body: Uint8Array, { maxBodyBytes }: BodyLimits): Uint8Array {
  if (body.byteLength > maxBodyBytes) throw tooLarge(maxBodyBytes);
  return body;
}

/** Calls `onPassed` with the error once the time for a body is over; the answer ends the watch. */
export function watchDeadline({ bodyTimeoutMs }: BodyLimits, onPassed: (error: WebhookError) => void): () => void {
  if (bodyTimeoutMs === Infinity) return () => undefined;
  const timer = setTimeout(() => {
    onPassed(
      new WebhookError(
        "body_timed_out",
        `Expected the whole body within ${bodyTimeoutMs} ms (\`bodyTimeoutMs\`), got only a part`,
      ),
    );
  }, bodyTimeoutMs);
  return () => clearTimeout(timer);
}

/** The error for a body whose sender went away in the middle of it. */
export function bodyAborted(cause?: unknown): WebhookError {
  return new WebhookError("body_aborted", "Expected the whole body, got only a part: the sender went away", { cause });
}

function tooLarge(maxBytes: number): WebhookError {
  return new WebhookError(
    "body_too_large",
    `Expected a body of at most ${maxBytes} bytes (\`maxBodyBytes\`), got more`,
  );
}
