import { describe, expect, it } from "vitest";
import { closeCodes, comingBack } from "./close-codes.ts";
import { parseFrame } from "./parse-frame.ts";

const timestamp = "2026-01-01T00:00:00.000Z";

describe("a frame", () => {
  it("is an event with its place, and nothing else that came along", () => {
    const event = { id: "k3f9-1", type: "model.added", timestamp, subject: "a", data: null };
    expect(parseFrame(JSON.stringify({ ...event, extra: 1 }))).toEqual({ kind: "event", frame: event });
  });

  it.each([
    ["client.connected", { clientId: "c", position: "k-1", resumed: true, heartbeatMs: 25_000 }],
    ["client.gap", { after: null, through: "k-1", reason: "unknown" }],
    ["client.heartbeat", { position: "k-1" }],
    ["client.heartbeat", { position: "k-1", state: "store_unreachable" }],
    ["client.subscribed", { types: null, subjects: ["a"], position: "k-1" }],
    ["client.refused", { op: "subscribe", code: "invalid_filter" }],
    ["client.closing", { reason: "restart", reconnectInMs: null }],
  ])("may be %s", (type, data) => {
    expect(parseFrame(JSON.stringify({ type, timestamp, data }))).toEqual({
      kind: "client",
      frame: { type, timestamp, data },
    });
  });

  it("of a later version is unknown, not an error", () => {
    expect(parseFrame(JSON.stringify({ type: "client.news", timestamp, data: 1 }))).toEqual({
      kind: "unknown",
      type: "client.news",
    });
    expect(parseFrame(JSON.stringify({ type: "client.__proto__", timestamp, data: {} })).kind).toBe("unknown");
  });

  it.each([
    ["{", "not_json"],
    ["", "not_json"],
    ["null", "not_a_frame"],
    ["[]", "not_a_frame"],
    ["1", "not_a_frame"],
    ["{}", "not_a_frame"],
    [JSON.stringify({ id: "k-1", type: "a.b", timestamp }), "not_a_frame"],
    [JSON.stringify({ id: "k", type: "a.b", timestamp, data: 1 }), "not_a_frame"],
    [JSON.stringify({ id: "k-1", type: "a.b", timestamp, subject: 1, data: 1 }), "not_a_frame"],
    [JSON.stringify({ type: "client.heartbeat", timestamp, data: { position: "junk" } }), "not_a_frame"],
    [JSON.stringify({ type: "client.heartbeat", timestamp, data: { position: "k-1", state: 1 } }), "not_a_frame"],
    [JSON.stringify({ type: "client.closing", timestamp, data: { reason: "x", reconnectInMs: -1 } }), "not_a_frame"],
    [JSON.stringify({ type: "client.gap", timestamp, data: null }), "not_a_frame"],
  ])("is not %s", (text, reason) => {
    expect(parseFrame(text)).toEqual({ kind: "rejected", reason });
  });

  it("is not looked at above the length one is ready for", () => {
    expect(parseFrame(`"${"x".repeat(100)}"`, 50)).toEqual({ kind: "rejected", reason: "too_large" });
  });
});

describe("a close code", () => {
  it("stands once in the table, under its own reason", () => {
    const codes = Object.values(closeCodes).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [name, { reason, code }] of Object.entries(closeCodes)) {
      expect(reason).toBe(name);
      expect((code >= 1_000 && code <= 1_014) || (code >= 4_000 && code <= 4_999)).toBe(true);
    }
  });

  it("says who comes back: never 4401 and 4403, later 1013, soon what no one here sent", () => {
    expect([4401, 4403, 1000].map((code) => comingBack(code))).toEqual(["never", "never", "never"]);
    expect(comingBack(1013)).toBe("later");
    expect([1001, 1006, 1012, 4408, 4999].map((code) => comingBack(code))).toEqual([
      "soon",
      "soon",
      "soon",
      "soon",
      "soon",
    ]);
  });
});
