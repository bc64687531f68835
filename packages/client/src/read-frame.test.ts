import { parseFrame } from "@starcast/core/wire";
import { describe, expect, it } from "vitest";
import { maxFrameLength, readFrame } from "./read-frame.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
const frame = (type: string, data: unknown): string => JSON.stringify({ type, timestamp, data });

describe("a frame", () => {
  it.each([
    JSON.stringify({ id: "k3f9-1", type: "model.added", timestamp, subject: "a", data: null }),
    JSON.stringify({ id: "k3f9-1", type: "model.added", timestamp, data: { a: 1 } }),
    frame("client.connected", { clientId: "c", position: "k-1", resumed: true, heartbeatMs: 25_000 }),
    frame("client.gap", { after: null, through: "k-1", reason: "unknown" }),
    frame("client.heartbeat", { position: "k-1" }),
    frame("client.subscribed", { types: null, subjects: ["a"], position: "k-1" }),
    frame("client.refused", { op: "subscribe", code: "invalid_filter" }),
    frame("client.closing", { reason: "restart", reconnectInMs: null }),
    frame("client.closing", { reason: "restart", reconnectInMs: 5 }),
  ])("is read as core reads it: %s", (text) => {
    const parsed = parseFrame(text);
    expect(readFrame(text)).toEqual("frame" in parsed ? parsed.frame : undefined);
  });

  it("of a later version is passed over", () => {
    expect(readFrame(frame("client.news", 1))).toBe(null);
    expect(readFrame(frame("client.__proto__", {}))).toBe(null);
    expect(readFrame(frame("client.constructor", {}))).toBe(null);
  });

  it.each([
    ...["{", "", "null", "[]", "1", "{}", frame("client.gap", null), frame("client.connected", null)],
    JSON.stringify({ id: "k-1", type: "a.b", timestamp }),
    JSON.stringify({ id: "k-1", type: "a.b", data: 1 }),
    JSON.stringify({ id: "k", type: "a.b", timestamp, data: 1 }),
    JSON.stringify({ id: "k-1", type: "a.b", timestamp, subject: 1, data: 1 }),
    JSON.stringify({ id: "k-1", type: 1, timestamp, data: 1 }),
    frame("client.heartbeat", { position: "junk" }),
    frame("client.connected", { position: "k-1", heartbeatMs: -1 }),
    frame("client.connected", { heartbeatMs: 1 }),
    frame("client.gap", { after: "junk", through: "k-1" }),
    frame("client.gap", { after: null, through: "junk" }),
    frame("client.closing", { reason: "x", reconnectInMs: -1 }),
    frame("client.refused", null),
  ])("is not %s", (text) => {
    expect(() => readFrame(text)).toThrow();
  });

  it("is not looked at above the length one is ready for", () => {
    expect(() =>
      readFrame(JSON.stringify({ id: "k-1", type: "a.b", timestamp, data: "x".repeat(maxFrameLength) })),
    ).toThrow("too long");
  });
});
