import { describe, expect, it } from "vitest";
import { AttemptBoard, maxAttemptsShown } from "./attempt-board.ts";
import { ConnectionBoard, maxDepartures, maxKnown, maxListed } from "./connection-board.ts";
import { TopicBoard, maxTopics } from "./topic-board.ts";

describe("the board of connections", () => {
  const opened = (clientId: string, isResumed = false) =>
    ({ kind: "clientConnected", level: "info", gateway: "sse", clientId, isResumed }) as const;
  const closed = (clientId: string) =>
    ({ kind: "clientClosed", level: "info", gateway: "sse", clientId, reason: "client_gone", code: null }) as const;
  const gapped = (clientId: string) =>
    ({
      kind: "clientGapped",
      level: "info",
      gateway: "sse",
      clientId,
      gap: { after: null, through: { epoch: "e", offset: 1 }, reason: "unknown" },
    }) as const;

  it("lists who is there, whose receiver it is, and what it missed", () => {
    const board = new ConnectionBoard(() => 5);
    board.observe(opened("a", true));
    board.observe(gapped("a"));
    board.observe(opened("b"));
    board.observe(closed("b"));
    const known = { clientId: "a", gateway: "sse", sinceMs: 5, isResumed: true, gaps: 1, receiver: "sse" };
    expect(board.report(new Map([["a", "sse"]]), [])).toEqual({
      open: [{ ...known, lagEvents: 0, unsentBytes: 0 }],
      more: 0,
      departures: [{ clientId: "b", gateway: "sse", reason: "client_gone", atMs: 5 }],
      totals: { connected: 2, resumed: 1, gapped: 1, stalled: 0 },
    });
  });

  it("lists the slowest first, then who is there longest", () => {
    const board = new ConnectionBoard();
    for (let index = 0; index < maxListed + 10; index += 1) board.observe(opened(String(index)));
    const lag = { position: "e-1", unsentBytes: 7 };
    const { open, more } = board.report(new Map(), [
      { clientId: "15", lagEvents: 3, ...lag },
      { clientId: "18", lagEvents: 400, ...lag },
    ]);
    expect(open.map(({ clientId }) => clientId).slice(0, 4)).toEqual(["18", "15", "0", "1"]);
    expect(open[0]).toMatchObject({ lagEvents: 400, unsentBytes: 7 });
    expect([open.length, more]).toEqual([maxListed, 10]);
  });

  it("counts those it has no room for", () => {
    const board = new ConnectionBoard();
    for (let index = 0; index < maxKnown + 10; index += 1) board.observe(opened(String(index)));
    expect(board.report(new Map(), [])).toMatchObject({ more: maxKnown + 10 - maxListed });
    for (let index = 0; index < maxKnown + 10; index += 1) board.observe(closed(String(index)));
    const { open, more, departures } = board.report(new Map(), []);
    expect([open.length, more, departures.length]).toEqual([0, 0, maxDepartures]);
  });
});

describe("the board of attempts", () => {
  it("keeps the newest, and counts all", () => {
    const board = new AttemptBoard();
    for (let attempt = 1; attempt <= 20; attempt += 1)
      board.observe({
        kind: "webhookAttempted",
        level: "debug",
        endpointId: "partner",
        eventId: "e-1",
        attempt,
        category: attempt % 2 === 0 ? "succeeded" : "http_503",
        status: null,
        tookMs: 1,
      });
    const { attempts, succeeded, failed } = board.report();
    expect([attempts.length, attempts[0]?.attempt, succeeded, failed]).toEqual([maxAttemptsShown, 20, 10, 10]);
  });
});

describe("the board of topics", () => {
  it("counts by type of event, and holds a bounded number of kinds", () => {
    const board = new TopicBoard();
    board.saw("catalog/events/model/added/openai/gpt", "e-1");
    board.saw("catalog/events/model/added/x-ai/grok", "e-2");
    for (let index = 0; index < maxTopics * 2; index += 1) board.saw(`catalog/events/kind/${index}/x`, "e-3");
    const { topics, latest } = board.report();
    expect(topics).toHaveLength(maxTopics + 1);
    expect(topics).toContainEqual({ topic: "catalog/events/model/added", count: 2 });
    expect(topics[0]).toEqual({ topic: "other topics", count: maxTopics + 1 });
    expect(latest).toHaveLength(5);
  });
});
