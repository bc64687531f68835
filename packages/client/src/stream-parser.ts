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

/**
 * Reads text/event-stream (HTML Living Standard, 9.2.6) from bytes cut anywhere. What it gives takes the next bytes; false
 * when a line or a block is longer than what is kept: the stream is not worth reading on.
 */
export function streamParser({ block, retry }: StreamListener): (bytes: Uint8Array) => boolean {
  // Node 24's decoder may take two byte order marks off a stream cut within the first: one is taken off here.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let isAtStart = true;
  let rest = "";
  // The last line ended in CR: a LF right after belongs to it.
  let isAfterCr = false;
  let [data, type, lastEventId] = ["", "", ""];
  const take = (line: string): void => {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") data += `${value}\n`;
    else if (field === "event") type = value;
    else if (field === "id" && !value.includes("\0")) lastEventId = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) retry(Number(value));
    if (line !== "") return;
    if (data !== "") block({ type: type || "message", data: data.slice(0, -1), lastEventId });
    data = type = "";
  };
  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true });
    if (text === "") return true;
    if (isAtStart) text = text.replace(/^\uFEFF/, "");
    isAtStart = false;
    if (isAfterCr) text = text.replace(/^\n/, "");
    isAfterCr = text.endsWith("\r");
    const [first = "", ...others] = text.split(/\r\n?|\n/);
    const lines = [rest + first, ...others];
    if (lines.some(({ length }) => length > maxLineLength)) return false;
    rest = lines.pop() ?? "";
    lines.forEach(take);
    return data.length <= maxBlockLength;
  };
}
