import { describe, expect, it } from "vitest";
import { closeFrame, joinFrames, pingFrame, pongFrame, textFrame } from "./text-frame.ts";

describe("a text frame", () => {
  it("is that of RFC 6455, 5.7", () => {
    expect([...textFrame("Hello")]).toEqual([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
  });

  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])("of %i bytes has the shortest header there is", (length, header) => {
    const frame = textFrame("x".repeat(length));
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.length).toBe(header.length + length);
  });

  it("counts bytes, not characters, and is UTF-8 whatever came in", () => {
    expect([...textFrame("é💥").subarray(0, 2)]).toEqual([0x81, 6]);
    expect([...textFrame("\ud800").subarray(2)]).toEqual([...Buffer.from("\ufffd")]);
  });
});

describe("a control frame", () => {
  it("may be a ping, a pong with its payload, a close with and without a code", () => {
    expect([...pingFrame]).toEqual([0x89, 0]);
    expect([...pongFrame(new Uint8Array([1, 2]))]).toEqual([0x8a, 2, 1, 2]);
    expect([...closeFrame(1012, "ab")]).toEqual([0x88, 4, 0x03, 0xf4, 0x61, 0x62]);
    expect([...closeFrame(null)]).toEqual([0x88, 0]);
  });

  it("may be joined with others for one write", () => {
    expect([...joinFrames([pingFrame, textFrame("a")])]).toEqual([0x89, 0, 0x81, 1, 0x61]);
  });
});
