import type { StarcastError } from "@starcast/core";
import { refusalOf } from "./nats-error.ts";

/** What JetStream says of a message it took. */
export interface Ack {
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

/** What JetStream answers to a message; nobody answers while the stream has no leader, and then NATS says so with nothing. */
export function readAnswer(data: Uint8Array): Ack | StarcastError | "no_leader" {
  if (data.length === 0) return "no_leader";
  const answer = JSON.parse(decoder.decode(data)) as {
    readonly seq?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly err_code?: number; readonly description?: string };
  };
  if (answer.error !== undefined) return refusalOf(answer.error.err_code ?? 0, answer.error.description ?? "no reason");
  return { sequence: answer.seq ?? 0, isDuplicate: answer.duplicate === true };
}

/**
 * The sequence in `{"stream":"...","seq":42}`; 0 for an answer that says more: an error stands in front, a duplicate or a
 * domain behind. Hot path: the usual answer is read from its end, for a fifth of what parsing it costs.
 */
export function plainSequence(data: Uint8Array): number {
  const end = data.length - 1;
  if (data[2] !== letterS || data[end] !== closingBrace) return 0;
  let sequence = 0;
  let at = end - 1;
  for (let scale = 1; ; at -= 1, scale *= 10) {
    const digit = (data[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) break;
    sequence += digit * scale;
  }
  for (let index = key.length - 1; index >= 0; index -= 1, at -= 1) if (data[at] !== key[index]) return 0;
  return sequence;
}

const decoder = new TextDecoder();
const letterS = 0x73;
const closingBrace = 0x7d;
const zero = 0x30;
const key = new TextEncoder().encode('"seq":');
