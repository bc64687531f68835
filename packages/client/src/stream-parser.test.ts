import { readFileSync } from "node:fs";
import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { maxBlockLength, maxLineLength, streamParser } from "./stream-parser.ts";

interface Vector {
  readonly name: string;
  /** What is sent; `%xx-2048` stands for 2,048 times `x`. */
  readonly stream: string;
  readonly blocks: readonly (readonly [type: string, data: string, lastEventId: string])[];
  readonly retry?: readonly number[];
}

// The `format-*` cases of the web platform tests for EventSource, as streams and what they mean.
const vectors = JSON.parse(
  readFileSync(new URL("./stream-parser.vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

function parse(parts: readonly Uint8Array[]): { blocks: (readonly string[])[]; retry: number[]; isWhole: boolean } {
  const blocks: (readonly string[])[] = [];
  const retry: number[] = [];
  const push = streamParser({
    block: ({ type, data, lastEventId }) => void blocks.push([type, data, lastEventId]),
    retry: (ms) => void retry.push(ms),
  });
  return { blocks, retry, isWhole: parts.every((part) => push(part)) };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text.replaceAll("%xx-2048", "x".repeat(2_048)));

describe.each(vectors)("the stream $name", ({ stream, blocks, retry = [] }) => {
  const bytes = bytesOf(stream);
  const meaning = { blocks, retry, isWhole: true };

  it("means the same wherever it is cut in two", () => {
    for (let at = 0; at <= bytes.length; at += 1)
      expect(parse([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(meaning);
  });

  it("means the same byte by byte", () => {
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(meaning);
  });

  it("means the same in pieces of any size", async () => {
    await forEachSeed(20, (random) => {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = random.integer(1, 7);
        parts.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(parse(parts)).toEqual(meaning);
    });
  });
});

describe("a stream that sends too much", () => {
  it("may send a line of 1 MiB, and not one character more", () => {
    const line = `data:${"x".repeat(maxLineLength - 5)}`;
    expect(parse([bytesOf(`${line}\n\n`)])).toMatchObject({ isWhole: true });
    expect(parse([bytesOf(`${line}x\n\n`)])).toEqual({ blocks: [], retry: [], isWhole: false });
  });

  it("is refused before the line ends", () => {
    const part = bytesOf("x".repeat(65_536));
    const push = streamParser({ block: () => undefined, retry: () => undefined });
    const taken = Array.from({ length: 17 }, () => push(part));
    expect(taken.indexOf(false)).toBe(16);
  });

  it("may not fill a block with lines either", () => {
    const line = bytesOf(`data:${"x".repeat(1_000_000)}\n`);
    const push = streamParser({ block: () => undefined, retry: () => undefined });
    const taken = Array.from({ length: 18 }, () => push(line));
    expect(taken.indexOf(false)).toBe(Math.floor(maxBlockLength / 1_000_001));
  });
});
