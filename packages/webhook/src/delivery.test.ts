import { describe, expect, it } from "vitest";
import { draftOf, gapEventOf, isFor, isGapFor, judgeAttempt } from "./delivery.ts";
import { enliven, type EndpointRecord, type LiveEndpoint } from "./endpoint.ts";
import type { Ordering } from "./endpoint-options.ts";
import { defaultScheduleMs } from "./retry-schedule.ts";

function endpoint(changes: Partial<EndpointRecord> = {}): LiveEndpoint {
  const record: EndpointRecord = {
    id: "partner",
    dispatcher: "webhooks",
    url: "https://hooks.partner.com/",
    types: undefined,
    subjects: undefined,
    format: "envelope",
    concurrency: 8,
    ratePerSecond: Infinity,
    ordering: "none",
    allowHttp: false,
    metadata: {},
    state: { kind: "active" },
    createdAt: 0,
    startsAfter: { epoch: "e1", offset: 10 },
    failingSince: null,
    keys: [{ key: `whsec_${Buffer.alloc(32).toString("base64")}` }],
    headers: {},
    catchUp: null,
    ...changes,
  };
  return enliven(record, 1, { unlocked: { origins: new Set(), networks: [] }, ports: [443] });
}

const event = { epoch: "e1", offset: 11, type: "model.added", subject: "eu/1" };
const disabled = { kind: "disabled", at: 0, reason: "gone", position: { epoch: "e1", offset: 5 } } as const;

describe("an event is for an endpoint", () => {
  it.each([
    ["that wants everything", {}, event, true],
    ["that was put before it", {}, { ...event, offset: 10 }, false],
    ["of an earlier log", {}, { ...event, epoch: "e2", offset: 1 }, true],
    ["whose types it matches", { types: ["model.*"] }, event, true],
    ["whose types it does not match", { types: ["price.*"] }, event, false],
    ["whose subjects it matches", { subjects: ["eu/*"] }, event, true],
    ["whose subjects it does not match", { subjects: ["us/*"] }, event, false],
    ["that is paused", { state: { kind: "paused", at: 0 } as const }, event, true],
    ["that is turned off", { state: disabled }, event, false],
  ])("%s: or not", (_, changes, given, expected) => {
    expect(isFor(endpoint(changes), given)).toBe(expected);
  });
});

describe("a gap", () => {
  const gap = { after: { epoch: "e1", offset: 12 }, through: { epoch: "e1", offset: 20 }, reason: "trimmed" } as const;

  it("is for every endpoint that was there, whatever it wants", () => {
    expect(isGapFor(endpoint({ types: ["price.*"] }), gap)).toBe(true);
    expect(isGapFor(endpoint({ startsAfter: { epoch: "e1", offset: 20 } }), gap)).toBe(false);
    expect(isGapFor(endpoint({ state: disabled }), gap)).toBe(false);
  });

  it("is an event of its own, the same each time it is told", () => {
    const told = gapEventOf(gap, 0);
    expect(told).toEqual({
      id: "e1-gap-12-20",
      type: "client.gap",
      subject: undefined,
      timestamp: "1970-01-01T00:00:00.000Z",
      json: '{"after":"e1-12","through":"e1-20","reason":"trimmed"}',
    });
    expect(gapEventOf({ ...gap, after: null }, 0).json).toBe('{"after":null,"through":"e1-20","reason":"trimmed"}');
    const ids = [null, { epoch: "e1", offset: 13 }, { epoch: "e0", offset: 12 }].map(
      (after) => gapEventOf({ ...gap, after }, 0).id,
    );
    expect(ids).toEqual(["e1-gap-start-20", "e1-gap-13-20", "e1-gap-e0-12-20"]);
  });
});

describe("a delivery", () => {
  const given = { id: "e1-11", type: "a.b", timestamp: "", json: "1" };
  const key = (ordering: Ordering, subject: string | undefined): string | undefined =>
    draftOf(endpoint({ ordering }), { ...given, subject }, 0).orderKey;

  it("waits for those of its order key", () => {
    expect([key("none", "x"), key("strict", "x"), key("strict", undefined)]).toEqual([undefined, "all", "all"]);
    expect([key("subject", "x"), key("subject", "x"), key("subject", "y"), key("subject", undefined)]).toEqual([
      "subject x",
      "subject x",
      "subject y",
      undefined,
    ]);
  });

  it("ends by success, by wish, or by its last attempt", () => {
    const random = { next: () => 0.5 };
    const judge = (outcome: Parameters<typeof judgeAttempt>[0], attempt: number) =>
      judgeAttempt(outcome, attempt, defaultScheduleMs, random);
    const failed = { kind: "retry", category: "http_500", wish: { retryAfterMs: null, atLeastMs: 0 } } as const;
    expect(judge({ kind: "succeeded", disables: false }, 1)).toEqual({ kind: "succeed" });
    expect(judge({ kind: "endpoint_gone", category: "http_410" }, 1)).toEqual({
      kind: "bury",
      reason: "endpoint_gone",
    });
    expect(judge({ kind: "aborted", category: "http_422" }, 1)).toEqual({ kind: "bury", reason: "aborted" });
    expect(judge(failed, 1)).toEqual({ kind: "retry", waitMs: 5_000 });
    expect(judge(failed, 9)).toEqual({ kind: "retry", waitMs: 86_400_000 });
    expect(judge(failed, 10)).toEqual({ kind: "bury", reason: "exhausted" });
  });
});
