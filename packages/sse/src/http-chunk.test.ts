import { LogEvent, json } from "@starcast/core";
import { expect, it } from "vitest";
import { httpChunk, inChunks } from "./http-chunk.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it.each([1, 9, 15, 16, 255, 256, 4_095, 65_536])("a chunk of %i bytes says its size in hexadecimal", (length) => {
  const body = "x".repeat(length);
  expect(text(httpChunk(new TextEncoder().encode(body)))).toBe(`${length.toString(16)}\r\n${body}\r\n`);
});

it("counts bytes, not characters", () => {
  expect(text(httpChunk(new TextEncoder().encode("é€")))).toBe("5\r\né€\r\n");
});

it("makes one encoding of another, and its bytes once per event", () => {
  const event = new LogEvent("e", 1, "2026-01-02T03:04:05.678Z", {
    type: "a.b",
    subject: undefined,
    json: "1",
    sizeBytes: 4,
  });
  expect(inChunks(json)).toBe(inChunks(json));
  const bytes = event.bytes(inChunks(json));
  expect(text(bytes)).toBe(text(httpChunk(event.bytes(json))));
  expect(event.bytes(inChunks(json))).toBe(bytes);
});
