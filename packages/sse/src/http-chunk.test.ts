import { LogEvent } from "@starcast/core";
import { expect, it } from "vitest";
import { streamEncoding } from "./event-stream.ts";
import { httpChunk, inChunks } from "./http-chunk.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it.each([1, 9, 15, 16, 255, 256, 4_095, 65_536])("a chunk of %i bytes says its size in hexadecimal", (length) => {
  const body = "x".repeat(length);
  expect(text(httpChunk(new TextEncoder().encode(body)))).toBe(`${length.toString(16)}\r\n${body}\r\n`);
});

it("counts bytes, not characters", () => {
  expect(text(httpChunk(new TextEncoder().encode("é€")))).toBe("5\r\né€\r\n");
});

function event(offset: number, json: string): LogEvent {
  return new LogEvent("e", offset, "2026-01-02T03:04:05.678Z", {
    type: "a.b",
    subject: undefined,
    json,
    sizeBytes: json.length + 3,
  });
}

const blocks = streamEncoding({ payload: "envelope", isNamed: true });

it("makes one encoding of another, and its bytes once per event", () => {
  expect(inChunks(blocks)).toBe(inChunks(blocks));
  for (const json of ["1", '"é€😀"', '"lone \ud800 surrogate"', JSON.stringify("x".repeat(20_000))]) {
    const one = event(1, json);
    const bytes = one.bytes(inChunks(blocks));
    expect(text(bytes)).toBe(text(httpChunk(one.bytes(blocks))));
    expect(one.bytes(inChunks(blocks))).toBe(bytes);
  }
});

it("keeps nothing but the chunk of an event", () => {
  const chunks = Array.from({ length: 1_000 }, (_, n) =>
    inChunks(blocks).encode(event(n, JSON.stringify("x".repeat(500)))),
  );
  const sentBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const keptBytes = [...new Set(chunks.map(({ buffer }) => buffer))].reduce((sum, each) => sum + each.byteLength, 0);
  expect(keptBytes).toBeLessThan(sentBytes * 1.3);
});
