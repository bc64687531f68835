import type { Buffer } from "node:buffer";

type Part = "size" | "extension" | "size_end" | "data" | "data_cr" | "data_lf" | "line" | "trailer" | "last_end";

/** What became of the bytes it was given; `at` is the first that is not the body's any more. */
export type ChunkResult =
  { readonly kind: "more" } | { readonly kind: "ended"; readonly at: number } | { readonly kind: "invalid" };

/** Takes the chunked transfer coding (RFC 9112, 7.1) apart, however its bytes are cut. Extensions and trailers say nothing here. */
export class ChunkedBody {
  #part: Part = "size";
  #size = 0;
  #digits = 0;

  feed(bytes: Buffer, from: number, onData: (data: Buffer) => void): ChunkResult {
    for (let at = from; at < bytes.length;) {
      if (this.#part === "data") {
        const end = Math.min(at + this.#size, bytes.length);
        onData(bytes.subarray(at, end));
        this.#size -= end - at;
        if (this.#size === 0) this.#part = "data_cr";
        at = end;
        continue;
      }
      const next = this.#next(bytes[at] ?? 0);
      at += 1;
      if (next === "invalid") return { kind: "invalid" };
      if (next === "ended") return { kind: "ended", at };
      this.#part = next;
    }
    return { kind: "more" };
  }

  /** Which part the next byte belongs to. */
  #next(byte: number): Part | "ended" | "invalid" {
    switch (this.#part) {
      case "size":
        return this.#takeSize(byte);
      case "extension":
        if (byte === cr) return "size_end";
        return byte === lf ? "invalid" : "extension";
      case "size_end":
        if (byte !== lf) return "invalid";
        this.#digits = 0;
        return this.#size === 0 ? "line" : "data";
      case "data":
      case "data_cr":
        return byte === cr ? "data_lf" : "invalid";
      case "data_lf":
        return byte === lf ? "size" : "invalid";
      case "line":
        return byte === cr ? "last_end" : byte === lf ? "invalid" : "trailer";
      case "trailer":
        return byte === lf ? "line" : "trailer";
      case "last_end":
        return byte === lf ? "ended" : "invalid";
    }
  }

  #takeSize(byte: number): Part | "invalid" {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#digits === 0 ? digit : this.#size * 16 + digit;
      this.#digits += 1;
      return this.#digits > maxSizeDigits ? "invalid" : "size";
    }
    if (this.#digits === 0) return "invalid";
    if (byte === cr) return "size_end";
    return byte === semicolon ? "extension" : "invalid";
  }
}

/** Sizes stay exact numbers. */
const maxSizeDigits = 12;

const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
