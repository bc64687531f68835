import { describe, expect, it } from "vitest";
import { Deadlines, openingTimeoutMs, type Timing } from "./deadlines.ts";

const timing: Timing = { since: 0, heartbeatMs: 25_000, pongTimeoutMs: 10_000, tokenGraceMs: 5_000 };

function opened({ expiresAt = Infinity, endsAt = Infinity } = {}): Deadlines {
  const deadlines = new Deadlines(0, timing, endsAt);
  deadlines.grantUntil(expiresAt);
  return deadlines;
}

describe("the deadlines of a connection", () => {
  it("end it when its place is not found in time", () => {
    const deadlines = new Deadlines(0, timing, Infinity);
    expect(deadlines.next(timing)).toBe(openingTimeoutMs);
    expect(deadlines.take(openingTimeoutMs, false, timing)).toBe("try_later");
  });

  it("ask for a beat, then for its answer", () => {
    const deadlines = opened();
    expect(deadlines.next(timing)).toBe(25_000);
    expect(deadlines.take(25_000, false, timing)).toBe("beat");
    expect(deadlines.next(timing)).toBe(35_000);
    expect(deadlines.take(34_999, false, timing)).toBe("nothing");
    expect(deadlines.take(35_000, false, timing)).toBe("pong_timeout");
  });

  it("go on to the next beat when it was answered", () => {
    const deadlines = opened();
    deadlines.take(25_000, false, timing);
    deadlines.ponged();
    expect(deadlines.isPongAwaited).toBe(false);
    expect(deadlines.next(timing)).toBe(50_000);
  });

  it("neither ask nor blame a client that is full", () => {
    const deadlines = opened();
    expect(deadlines.take(25_000, true, timing)).toBe("nothing");
    deadlines.take(50_000, false, timing);
    expect(deadlines.take(70_000, true, timing)).toBe("nothing");
    deadlines.hasRoom(70_000, timing.pongTimeoutMs);
    expect(deadlines.take(79_999, false, timing)).toBe("beat");
    expect(deadlines.next(timing)).toBeGreaterThan(79_999);
  });

  it("do not make up for beats that were missed, as after a suspended laptop", () => {
    const deadlines = opened();
    expect(deadlines.take(1_000_000, false, timing)).toBe("beat");
    deadlines.ponged();
    expect(deadlines.take(1_000_001, false, timing)).toBe("nothing");
  });

  it("announce the end of a grant once, and mean it after the grace", () => {
    const deadlines = opened({ expiresAt: 1_000 });
    expect(deadlines.take(1_000, false, timing)).toBe("expired");
    expect(deadlines.take(1_001, false, timing)).toBe("nothing");
    expect(deadlines.next(timing)).toBe(6_000);
    expect(deadlines.take(6_000, false, timing)).toBe("unauthorized");
  });

  it("are lifted by a new grant within the grace", () => {
    const deadlines = opened({ expiresAt: 1_000 });
    deadlines.take(1_000, false, timing);
    deadlines.grantUntil(100_000);
    expect(deadlines.take(6_000, false, timing)).toBe("nothing");
  });

  // Closed as unauthorized it would never come back, although the token it is fetching may be good.
  it("end it at its age, to come back, while it still may bring a new token", () => {
    const deadlines = opened({ expiresAt: 1_000, endsAt: 2_000 });
    deadlines.take(1_000, false, timing);
    expect(deadlines.take(2_000, false, timing)).toBe("restart");
  });
});
