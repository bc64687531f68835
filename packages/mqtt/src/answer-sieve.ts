/** What answers a publication (MQTT 5, sections 3.4, 3.5 and 3.7). */
export type AnswerKind = "puback" | "pubrec" | "pubcomp";

/** Longer ones, with a reason in words, are rare: mqtt.js may read them. */
const maxAnswerBytes = 127;

export interface AnswerSieveOptions {
  /** Hears of each answer, as soon as it is complete. */
  readonly onAnswer: (kind: AnswerKind, id: number, reasonCode: number) => void;
  /** Gets everything else, as it came, in order. */
  readonly onRest: (bytes: Uint8Array) => void;
}

/**
 * Takes the answers to publications out of what an MQTT broker sends, however it is cut into chunks. There is one for each
 * event, and all that matters of it is three bytes: a parser for every packet takes longer than the publication did.
 */
export class AnswerSieve {
  readonly #options: AnswerSieveOptions;
  /** The beginning of a packet that cannot be judged yet. */
  #held: Uint8Array | null = null;
  /** Bytes still to come of a packet that is not an answer. */
  #passing = 0;

  constructor(options: AnswerSieveOptions) {
    this.#options = options;
  }

  sift(chunk: Uint8Array): void {
    const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    let at = Math.min(this.#passing, bytes.length);
    this.#passing -= at;
    let restFrom = 0;
    while (at < bytes.length) {
      const body = bodyAt(bytes, at);
      const kind = answers.get(byteAt(bytes, at));
      const isAnswer = body !== null && kind !== undefined && body.length >= 2 && body.length <= maxAnswerBytes;
      if (body === null || (isAnswer && body.from + body.length > bytes.length)) {
        this.#held = bytes.subarray(at);
        break;
      }
      const end = body.from + body.length;
      if (isAnswer) {
        this.#pass(bytes, restFrom, at);
        restFrom = end;
        const id = (byteAt(bytes, body.from) << 8) | byteAt(bytes, body.from + 1);
        // Nothing is success (MQTT 5, section 3.4.2.1).
        const reasonCode = body.length > 2 ? byteAt(bytes, body.from + 2) : 0;
        this.#options.onAnswer(kind, id, reasonCode);
      }
      this.#passing = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    this.#pass(bytes, restFrom, at);
  }

  #pass(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.#options.onRest(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
  }
}

// The whole first byte: with a flag set it is malformed, and mqtt.js says so.
const answers: ReadonlyMap<number, AnswerKind> = new Map([
  [0x40, "puback"],
  [0x50, "pubrec"],
  [0x70, "pubcomp"],
]);

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

/** Where the packet that begins here has its body, and how long that is; null when that has not come yet. */
function bodyAt(bytes: Uint8Array, start: number): { readonly from: number; readonly length: number } | null {
  let length = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + 1 + index];
    if (byte === undefined) return null;
    length |= (byte & 127) << (7 * index);
    if (byte < 128) return { from: start + 2 + index, length };
  }
  // A fifth byte is not allowed (MQTT 5, section 1.5.5): not an answer, and mqtt.js ends the connection.
  return { from: start + 5, length: 0 };
}
