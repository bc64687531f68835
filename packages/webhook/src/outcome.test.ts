import { describe, expect, it } from "vitest";
import { overwhelmedWaitMs, readOutcome, type Answer, type FailureCategory } from "./outcome.ts";

const now = 1_700_000_000_000;

function answered(status: number, headers: { retryAfter?: string; delivery?: string } = {}): Answer {
  return {
    kind: "answered",
    status,
    headers: { retryAfter: headers.retryAfter ?? null, delivery: headers.delivery ?? null },
    body: new Uint8Array(),
  };
}

describe("an answer", () => {
  it("succeeds with every 2xx and nothing else", () => {
    for (let status = 200; status < 600; status += 1) {
      const isSuccess = readOutcome(answered(status), now).kind === "succeeded";
      expect(isSuccess).toBe(status < 300);
    }
  });

  it("disables the endpoint with 410", () => {
    expect(readOutcome(answered(410), now)).toEqual({ kind: "endpoint_gone", category: "http_410" });
  });

  it("disables the endpoint with the header, whatever the status", () => {
    expect(readOutcome(answered(500, { delivery: " Disable " }), now).kind).toBe("endpoint_gone");
    expect(readOutcome(answered(204, { delivery: "disable" }), now)).toEqual({ kind: "succeeded", disables: true });
  });

  it("gives this delivery up with abort-message", () => {
    expect(readOutcome(answered(422, { delivery: "abort-message" }), now)).toEqual({
      kind: "aborted",
      category: "http_422",
    });
  });

  it("is retried for every other status: 3xx, 4xx and 5xx alike", () => {
    for (const status of [300, 301, 307, 400, 401, 403, 404, 422, 429, 500, 503, 599]) {
      expect(readOutcome(answered(status), now)).toMatchObject({ kind: "retry", category: `http_${status}` });
    }
  });

  it("passes Retry-After on", () => {
    expect(readOutcome(answered(503, { retryAfter: "30" }), now)).toMatchObject({
      wish: { retryAfterMs: 30_000, atLeastMs: 0 },
    });
  });

  it("slows down for 429 and for timeouts", () => {
    const slow = { wish: { atLeastMs: overwhelmedWaitMs } };
    expect(readOutcome(answered(429), now)).toMatchObject(slow);
    for (const category of ["timed_out", "connect_timed_out", "dns_timed_out"] as const) {
      expect(readOutcome({ kind: "failed", category }, now)).toMatchObject({ category, ...slow });
    }
  });

  it("is retried when there was none", () => {
    const others: FailureCategory[] = [
      "address_refused",
      "dns_failed",
      "connect_failed",
      "tls_failed",
      "reset",
      "invalid_answer",
    ];
    for (const category of others) {
      expect(readOutcome({ kind: "failed", category }, now)).toMatchObject({
        kind: "retry",
        category,
        wish: { atLeastMs: 0 },
      });
    }
  });
});
