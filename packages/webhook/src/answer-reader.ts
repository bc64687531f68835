import type { Buffer } from "node:buffer";
import { parseAnswerHead, type AnswerHead } from "./answer-head.ts";
import { ChunkedBody } from "./chunked-body.ts";
import type { Answer, FailureCategory } from "./outcome.ts";

export interface AnswerLimits {
  readonly maxAnswerHeadBytes: number;
  /** Read at most, framing included; then the connection is destroyed, and the status still counts. */
  readonly maxAnswerBytes: number;
  /** Kept of the body, for people. */
  readonly keptAnswerBytes: number;
}

/** Interim answers (1xx) that are waited through; an endless stream of them is an attack, or a loop. */
export const maxInterimAnswers = 16;

/** Told once per answer: what it was, and how long its connection may be kept for the next request; 0 when it must end. */
export type OnAnswer = (answer: Answer, keepMs: number) => void;

type Reading =
  | { readonly kind: "nothing" }
  | { readonly kind: "head" }
  | { readonly kind: "bytes"; left: number }
  | { readonly kind: "chunks"; readonly chunks: ChunkedBody }
  | { readonly kind: "until_close" };

const nothing: Reading = { kind: "nothing" };
const head: Reading = { kind: "head" };
const untilClose: Reading = { kind: "until_close" };

/**
 * Reads the answers of one connection, one at a time, as much of each as the limits allow. The status decides: once it is
 * known, a body that is cut off, too long or too slow changes nothing.
 */
export class AnswerReader {
  readonly #limits: AnswerLimits;
  readonly #onAnswer: OnAnswer;
  #reading: Reading = nothing;
  /** What there is of a head that is not whole. */
  #headText = "";
  #head: AnswerHead | null = null;
  #interimAnswers = 0;
  #readBytes = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(limits: AnswerLimits, onAnswer: OnAnswer) {
    this.#limits = limits;
    this.#onAnswer = onAnswer;
  }

  /** A request goes out: what comes next is its answer. */
  begin(): void {
    this.#reading = head;
    this.#head = null;
    this.#interimAnswers = 0;
    this.#readBytes = 0;
    if (this.#headText !== "") this.#headText = "";
    if (this.#keptBytes > 0) {
      this.#kept = [];
      this.#keptBytes = 0;
    }
  }

  /** False when nobody asked for these bytes. */
  feed(bytes: Buffer): boolean {
    if (this.#reading.kind === "nothing") return false;
    let rest: Buffer | null = bytes;
    while (rest !== null && this.#reading.kind === "head") rest = this.#readHead(rest);
    if (rest !== null) this.#readBody(rest);
    return true;
  }

  /** Ends the attempt, with what is known by now; a second end says nothing more. */
  end(category: FailureCategory): void {
    this.#end(category, 0);
  }

  /** What is left after the head; null when nothing is, or nothing is to be read any more. */
  #readHead(bytes: Buffer): Buffer | null {
    const room = this.#limits.maxAnswerHeadBytes - this.#headText.length;
    const text = bytes.toString("latin1", 0, Math.min(bytes.length, room + headEnd.length));
    // The end of a head may have come in two parts.
    const before = this.#headText.length === 0 ? "" : this.#headText.slice(-(headEnd.length - 1));
    const found = (before + text).indexOf(headEnd);
    const ends = found - before.length;
    if (found < 0 ? text.length > room : ends > room) return this.#refuse("answer_head_too_large");
    if (found < 0) {
      this.#headText += text;
      // What is no HTTP may never come to the end of a head.
      return couldBeHttp(this.#headText) ? null : this.#refuse("invalid_answer");
    }
    const whole =
      this.#headText === "" ? text.slice(0, ends) : (this.#headText + text).slice(0, this.#headText.length + ends);
    this.#headText = "";
    const from = ends + headEnd.length;
    if (!this.#takeHead(parseAnswerHead(whole), bytes.length - from)) return null;
    return from < bytes.length ? bytes.subarray(from) : null;
  }

  /** False when the answer ended with it. */
  #takeHead(parsed: AnswerHead | null, left: number): boolean {
    // Nobody asked to continue, or to speak something else.
    if (parsed === null || parsed.status === 100 || parsed.status === 101) {
      this.end("invalid_answer");
      return false;
    }
    if (parsed.status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers <= maxInterimAnswers) return true;
      this.end("invalid_answer");
      return false;
    }
    this.#head = parsed;
    switch (parsed.body.kind) {
      case "none":
        // Bytes behind the answer are nobody's: what they would spoil is the next one.
        this.#end("reset", left === 0 ? parsed.keptMs : 0);
        return false;
      case "bytes":
        this.#reading = { kind: "bytes", left: parsed.body.bytes };
        return true;
      case "chunks":
        this.#reading = { kind: "chunks", chunks: new ChunkedBody() };
        return true;
      case "until_close":
        this.#reading = untilClose;
        return true;
    }
  }

  #readBody(bytes: Buffer): void {
    const reading = this.#reading;
    const keepMs = this.#head?.keptMs ?? 0;
    this.#readBytes += bytes.length;
    if (reading.kind === "chunks") {
      const result = reading.chunks.feed(bytes, 0, (data) => this.#keep(data));
      if (result.kind === "invalid") return this.end("reset");
      if (result.kind === "ended") return this.#end("reset", result.at === bytes.length ? keepMs : 0);
    } else {
      this.#keep(reading.kind === "bytes" ? bytes.subarray(0, reading.left) : bytes);
      if (reading.kind === "bytes") {
        reading.left -= bytes.length;
        if (reading.left <= 0) return this.#end("reset", reading.left === 0 ? keepMs : 0);
      }
    }
    if (this.#readBytes > this.#limits.maxAnswerBytes) this.end("reset");
  }

  #keep(data: Buffer): void {
    const room = this.#limits.keptAnswerBytes - this.#keptBytes;
    if (room <= 0 || data.length === 0) return;
    const kept = data.subarray(0, room);
    this.#kept.push(kept);
    this.#keptBytes += kept.length;
  }

  #refuse(category: FailureCategory): null {
    this.end(category);
    return null;
  }

  #end(category: FailureCategory, keepMs: number): void {
    if (this.#reading.kind === "nothing") return;
    this.#reading = nothing;
    this.#onAnswer(this.#answer(category), keepMs);
  }

  #answer(category: FailureCategory): Answer {
    if (this.#head === null) return { kind: "failed", category };
    const { status, headers } = this.#head;
    return {
      kind: "answered",
      status,
      headers,
      body: this.#keptBytes === 0 ? noBytes : concatenated(this.#kept, this.#keptBytes),
    };
  }
}

const headEnd = "\r\n\r\n";
const noBytes = new Uint8Array();

function couldBeHttp(text: string): boolean {
  return text.length < versionStart.length ? versionStart.startsWith(text) : text.startsWith(versionStart);
}

const versionStart = "HTTP/1.";

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
