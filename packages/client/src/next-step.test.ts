import { closeCodes, comingBack } from "@starcast/core/wire";
import { describe, expect, it } from "vitest";
import { endOfCode, type End } from "./end.ts";
import { firstTransport, nextStep, noHistory, type Attempt, type History, type Wishes } from "./next-step.ts";
import { endOfStatus } from "./read-answer.ts";

const attempt = (known: Partial<Attempt> = {}): Attempt => ({
  transport: "websocket",
  heldMs: 1_000,
  advice: undefined,
  retryMs: 0,
  ...known,
});
const wishes = (wanted: Partial<Wishes> = {}): Wishes => ({
  transport: "auto",
  getToken: null,
  surroundings: { random: { next: () => 1 } },
  ...wanted,
});
const lost: End = { next: "soon", reason: "lost" };
const unreachable: End = { next: "soon", reason: "unreachable" };
const refused = (status: number, retryAfterMs: number | null = null): End =>
  endOfStatus(status, "said why", retryAfterMs);
const step = (end: End, made?: Partial<Attempt>, history?: Partial<History>, wanted?: Partial<Wishes>) =>
  nextStep(end, attempt(made), { ...noHistory, ...history }, wishes(wanted)).state;

describe("the end of a WebSocket", () => {
  it("means to a client what core's table of close codes says", () => {
    for (let code = 1_000; code < 5_000; code += 1) {
      const { next } = endOfCode(code);
      expect([code, next === "renew" ? "never" : next]).toEqual([code, comingBack(code)]);
    }
    for (const { code, reason } of Object.values(closeCodes)) {
      const said = endOfCode(code).reason;
      expect([code, said]).toEqual([code, said === "protocol_error" ? said : reason]);
    }
  });
});

describe("after a connection ended, a client", () => {
  it.each([
    [1000, { kind: "closed", reason: "done" }],
    [1001, { kind: "waiting", reason: "lost", retryInMs: 1_000 }],
    [1002, { kind: "waiting", reason: "protocol_error", retryInMs: 5_500 }],
    [1006, { kind: "waiting", reason: "lost", retryInMs: 1_000 }],
    [1008, { kind: "waiting", reason: "protocol_error", retryInMs: 5_500 }],
    [1012, { kind: "waiting", reason: "restart", retryInMs: 1_000 }],
    [1013, { kind: "waiting", reason: "try_later", retryInMs: 5_500 }],
    [4401, { kind: "closed", reason: "unauthorized" }],
    [4403, { kind: "closed", reason: "forbidden" }],
    [4408, { kind: "waiting", reason: "too_slow", retryInMs: 1_000 }],
  ])("that was closed with %s does as the table of close codes says", (code, expected) => {
    expect(step(endOfCode(code))).toMatchObject(expected);
  });

  it.each([
    [401, "unauthorized"],
    [204, "unauthorized"],
    [403, "forbidden"],
    [400, "refused"],
    [410, "refused"],
  ])("that was answered %s stops", (status, reason) => {
    expect(step(refused(status), { transport: "sse", heldMs: null })).toMatchObject({ kind: "closed", reason });
  });

  it.each([404, 429, 500, 502, 503])("that was answered %s comes back", (status) => {
    expect(step(refused(status), { transport: "sse", heldMs: null })).toMatchObject({ kind: "waiting" });
  });

  it("comes back when the server says", () => {
    expect(step(endOfCode(1012), { advice: 7_000 })).toMatchObject({ kind: "waiting", retryInMs: 7_000 });
    expect(step(refused(503, 9_000), { transport: "sse", heldMs: null })).toMatchObject({ retryInMs: 9_000 });
    expect(step(refused(429, 12_000), { transport: "sse", heldMs: null })).toMatchObject({ retryInMs: 12_000 });
    expect(step(refused(503, 86_400_000), { transport: "sse", heldMs: null })).toMatchObject({ retryInMs: 600_000 });
    expect(step(lost, { transport: "sse", retryMs: 3_000 })).toMatchObject({ retryInMs: 3_000 });
  });

  it("does not come back at once over and over, whatever the server says", () => {
    expect(step(endOfCode(1012), { advice: 0 }, { failures: 0 })).toMatchObject({ retryInMs: 0 });
    expect(step(endOfCode(1012), { advice: 0 }, { failures: 3 })).toMatchObject({ retryInMs: 8_000 });
  });

  it("waits longer after each failure, and forgets them once a connection held for 30 s", () => {
    let history: History = noHistory;
    const waits: number[] = [];
    for (const heldMs of [0, 0, 0, 29_999, 30_000, 0]) {
      const next = nextStep(lost, attempt({ heldMs }), history, wishes());
      history = next.history;
      if (next.state.kind === "waiting") waits.push(next.state.retryInMs ?? 0);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 1_000, 2_000]);
  });

  it("asks for a token once more, then stops", () => {
    const end = endOfCode(4401);
    const first = nextStep(end, attempt(), noHistory, wishes({ getToken: () => "token" }));
    expect(first.state).toEqual({ kind: "connecting", transport: "websocket", reason: "unauthorized" });
    const second = nextStep(end, attempt({ heldMs: null }), first.history, wishes({ getToken: () => "token" }));
    expect(second.state).toMatchObject({ kind: "closed", reason: "unauthorized" });
  });

  it("tries SSE at once where a WebSocket does not come through, unless it was asked for", () => {
    const made = { heldMs: null } as const;
    expect(step(unreachable, made)).toEqual({ kind: "connecting", transport: "sse", reason: "unreachable" });
    expect(step({ next: "soon", reason: "silent" }, made)).toMatchObject({ kind: "connecting", transport: "sse" });
    // Two halves of one try.
    expect(nextStep(unreachable, attempt(made), noHistory, wishes()).history.failures).toBe(0);
    expect(step({ next: "never", reason: "refused" }, made)).toMatchObject({ kind: "connecting", transport: "sse" });
    expect(step(unreachable, made, {}, { transport: "websocket" })).toMatchObject({ kind: "waiting" });
    expect(step(endOfCode(1013), made)).toMatchObject({ kind: "waiting", reason: "try_later" });
  });

  it("begins with SSE where only SSE has come through", () => {
    const { history } = nextStep(lost, attempt({ transport: "sse" }), noHistory, wishes());
    expect(firstTransport(wishes(), history)).toBe("sse");
    expect(firstTransport(wishes({ transport: "websocket" }), history)).toBe("websocket");
    const later = nextStep(lost, attempt(), history, wishes()).history;
    expect(firstTransport(wishes(), later)).toBe("websocket");
    const last = nextStep(lost, attempt({ transport: "sse" }), later, wishes()).history;
    expect(firstTransport(wishes(), last)).toBe("websocket");
  });

  it("takes the end of a stream that says to stay away for the end of its token", () => {
    expect(step(lost, { transport: "sse", advice: null })).toMatchObject({ kind: "closed", reason: "unauthorized" });
    expect(step(lost, { transport: "sse", advice: null }, {}, { getToken: () => "token" })).toMatchObject({
      kind: "connecting",
    });
  });
});
