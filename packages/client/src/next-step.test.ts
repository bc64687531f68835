import { describe, expect, it } from "vitest";
import { nextStep, noHistory, type Attempt, type History, type SourceEnd, type Wishes } from "./next-step.ts";

const attempt = (known: Partial<Attempt> = {}): Attempt => ({
  transport: "websocket",
  wasGreeted: true,
  heldMs: 1_000,
  advice: undefined,
  retryMs: 0,
  ...known,
});
const wishes = (wanted: Partial<Wishes> = {}): Wishes => ({
  transport: "auto",
  hasToken: false,
  random: { next: () => 1 },
  ...wanted,
});
const closed = (code: number): SourceEnd => ({ kind: "closed", code });
const refused = (status: number, retryAfterMs: number | null = null): SourceEnd => ({
  kind: "refused",
  status,
  message: "said why",
  retryAfterMs,
});
const step = (end: SourceEnd, made?: Partial<Attempt>, history?: Partial<History>, wanted?: Partial<Wishes>) =>
  nextStep(end, attempt(made), { ...noHistory, ...history }, wishes(wanted)).step;

describe("after a connection ended, a client", () => {
  it.each([
    [1000, { kind: "close", reason: "done" }],
    [1001, { kind: "wait", reason: "lost", ms: 1_000 }],
    [1002, { kind: "wait", reason: "protocol_error", ms: 5_500 }],
    [1006, { kind: "wait", reason: "lost", ms: 1_000 }],
    [1008, { kind: "wait", reason: "protocol_error", ms: 5_500 }],
    [1012, { kind: "wait", reason: "restart", ms: 1_000 }],
    [1013, { kind: "wait", reason: "try_later", ms: 5_500 }],
    [4401, { kind: "close", reason: "unauthorized" }],
    [4403, { kind: "close", reason: "forbidden" }],
    [4408, { kind: "wait", reason: "too_slow", ms: 1_000 }],
  ])("that was closed with %s does as the table of close codes says", (code, expected) => {
    expect(step(closed(code))).toMatchObject(expected);
  });

  it.each([
    [401, "unauthorized"],
    [204, "unauthorized"],
    [403, "forbidden"],
    [400, "refused"],
    [410, "refused"],
  ])("that was answered %s stops", (status, reason) => {
    expect(step(refused(status), { transport: "sse", wasGreeted: false })).toMatchObject({ kind: "close", reason });
  });

  it.each([404, 429, 500, 502, 503])("that was answered %s comes back", (status) => {
    expect(step(refused(status), { transport: "sse", wasGreeted: false })).toMatchObject({ kind: "wait" });
  });

  it("comes back when the server says", () => {
    expect(step(closed(1012), { advice: 7_000 })).toMatchObject({ kind: "wait", ms: 7_000 });
    expect(step(refused(503, 9_000), { transport: "sse", wasGreeted: false })).toMatchObject({ ms: 9_000 });
    expect(step(refused(429, 12_000), { transport: "sse", wasGreeted: false })).toMatchObject({ ms: 12_000 });
    expect(step({ kind: "lost" }, { transport: "sse", retryMs: 3_000 })).toMatchObject({ ms: 3_000 });
  });

  it("does not come back at once over and over, whatever the server says", () => {
    expect(step(closed(1012), { advice: 0 }, { failures: 0 })).toMatchObject({ ms: 0 });
    expect(step(closed(1012), { advice: 0 }, { failures: 3 })).toMatchObject({ ms: 8_000 });
  });

  it("waits longer after each failure, and forgets them once a connection held for 30 s", () => {
    let history: History = noHistory;
    const waits: number[] = [];
    for (const heldMs of [0, 0, 0, 29_999, 30_000, 0]) {
      const next = nextStep(closed(1006), attempt({ heldMs }), history, wishes());
      history = next.history;
      if (next.step.kind === "wait") waits.push(next.step.ms);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 1_000, 2_000]);
  });

  it("asks for a token once more, then stops", () => {
    const end = closed(4401);
    const first = nextStep(end, attempt(), noHistory, wishes({ hasToken: true }));
    expect(first.step).toEqual({ kind: "try", transport: "websocket", reason: "unauthorized" });
    const second = nextStep(end, attempt({ wasGreeted: false }), first.history, wishes({ hasToken: true }));
    expect(second.step).toMatchObject({ kind: "close", reason: "unauthorized" });
  });

  it("tries SSE at once where a WebSocket does not come through, unless it was asked for", () => {
    const made = { wasGreeted: false } as const;
    expect(step({ kind: "unreachable" }, made)).toEqual({ kind: "try", transport: "sse", reason: "unreachable" });
    expect(step({ kind: "silent" }, made)).toMatchObject({ kind: "try", transport: "sse" });
    expect(step({ kind: "unreachable" }, made, {}, { transport: "websocket" })).toMatchObject({
      kind: "wait",
      transport: "websocket",
    });
  });

  it("begins with SSE where only SSE has come through", () => {
    expect(step({ kind: "lost" }, { transport: "sse" })).toMatchObject({ kind: "wait", transport: "sse" });
    expect(step({ kind: "lost" }, { transport: "sse" }, { hasWebSocketWorked: true })).toMatchObject({
      transport: "websocket",
    });
  });
});
