/** One dispatched block of an event stream. */
export interface StreamBlock {
  /** The field `event`, or `message`. */
  readonly type: string;
  readonly data: string;
  /** The last `id` so far. */
  readonly lastEventId: string;
}

export interface StreamListener {
  block(block: StreamBlock): void;
  retry(ms: number): void;
}

/** Longest line that is kept, in characters: four times what a gateway sends by default. */
export const maxLineLength = 1_048_576;

/** Longest data of one block, over all its lines. */
export const maxBlockLength = 16_777_216;

/** Reads text/event-stream (HTML Living Standard, 9.2.6) from bytes cut anywhere. */
export class StreamParser {
  readonly #listener: StreamListener;
  // Node 24's decoder may take two byte order marks off a stream cut within the first: one is taken off here.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #isAtStart = true;
  #rest = "";
  /** The last line ended in CR: a LF right after belongs to it. */
  #isAfterCr = false;
  #data: string[] = [];
  #dataLength = 0;
  #type = "";
  #lastEventId = "";

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  /** False when a line or a block is longer than what is kept: the stream is not worth reading on. */
  push(bytes: Uint8Array): boolean {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return true;
    if (this.#isAtStart && text.startsWith("\uFEFF")) text = text.slice(1);
    this.#isAtStart = false;
    if (this.#isAfterCr && text.startsWith("\n")) text = text.slice(1);
    this.#isAfterCr = text === "" ? false : text.endsWith("\r");
    let start = 0;
    for (const end of text.matchAll(/\r\n?|\n/g)) {
      const line = this.#rest + text.slice(start, end.index);
      this.#rest = "";
      start = end.index + end[0].length;
      if (line.length > maxLineLength || !this.#takeLine(line)) return false;
    }
    this.#rest += text.slice(start);
    return this.#rest.length <= maxLineLength;
  }

  #takeLine(line: string): boolean {
    if (line === "") {
      this.#dispatch();
      return true;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return true;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") {
      this.#data.push(value);
      this.#dataLength += value.length + 1;
    } else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#lastEventId = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) this.#listener.retry(Number(value));
    return this.#dataLength <= maxBlockLength;
  }

  #dispatch(): void {
    const [data, type] = [this.#data, this.#type];
    this.#data = [];
    this.#dataLength = 0;
    this.#type = "";
    if (data.length === 0) return;
    this.#listener.block({
      type: type === "" ? "message" : type,
      data: data.join("\n"),
      lastEventId: this.#lastEventId,
    });
  }
}
