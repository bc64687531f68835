import type { StarcastError } from "@starcast/core";
import { refusalOf } from "./nats-error.ts";

/** What JetStream says of a message it took. */
export interface Ack {
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

/** Reads what is answered to messages for one stream; whoever else listens to its subject may answer anything. */
export class PublishAnswers {
  readonly #stream: string;
  /** What the usual answer begins with. */
  readonly #head: Uint8Array;

  constructor(stream: string) {
    this.#stream = stream;
    this.#head = new TextEncoder().encode(`{"stream":${JSON.stringify(stream)},`);
  }

  /** What the stream says of a publication; `not_ours` is what somebody else answered. */
  read(data: Uint8Array): Ack | StarcastError | "not_ours" {
    const { stream, seq, duplicate, error } = parse(data);
    // Some refusals do not say by whom.
    if (stream !== this.#stream && (stream !== undefined || error === undefined)) return "not_ours";
    if (error !== undefined) return refusalOf(error.err_code ?? 0, error.description ?? "no reason");
    return typeof seq === "number" ? { sequence: seq, isDuplicate: duplicate === true } : "not_ours";
  }

  /**
   * The sequence in `{"stream":"...","seq":42}`; 0 for an answer that says anything else, or more. Hot path: the usual
   * answer is read without parsing it, for a fifth of what that costs.
   */
  plainSequence(data: Uint8Array): number {
    const head = this.#head;
    let at = 0;
    for (; at < head.length; at += 1) if (data[at] !== head[at]) return 0;
    if (data[at] === space) at += 1;
    for (let index = 0; index < key.length; index += 1, at += 1) if (data[at] !== key[index]) return 0;
    const end = data.length - 1;
    let sequence = 0;
    for (; at < end; at += 1) {
      const digit = (data[at] ?? 0) - zero;
      if (digit < 0 || digit > 9) return 0;
      sequence = sequence * 10 + digit;
    }
    return data[end] === closingBrace ? sequence : 0;
  }
}

interface Answer {
  readonly stream?: unknown;
  readonly seq?: unknown;
  readonly duplicate?: unknown;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

function parse(data: Uint8Array): Answer {
  try {
    const answer = JSON.parse(decoder.decode(data)) as Answer | null;
    return answer ?? {};
  } catch {
    // What is no JSON is not of JetStream; the caller says so.
    return {};
  }
}

const decoder = new TextDecoder();
const space = 0x20;
const closingBrace = 0x7d;
const zero = 0x30;
const key = new TextEncoder().encode('"seq":');
