import { describe, expect, it } from "vitest";
import { LatencyWindow, keptMs, maxSamples } from "./latency-window.ts";

describe("a latency window", () => {
  it("knows nothing before the first sample", () => {
    expect(new LatencyWindow().percentiles()).toEqual({ p50Ms: null, p99Ms: null });
  });

  it("gives the nearest ranks", () => {
    const window = new LatencyWindow();
    for (let tookMs = 100; tookMs >= 1; tookMs -= 1) window.add(tookMs);
    expect(window.percentiles()).toEqual({ p50Ms: 50, p99Ms: 99 });
  });

  it("forgets what is older than its newest samples", () => {
    const window = new LatencyWindow();
    window.add(1_000_000);
    for (let count = 0; count < maxSamples; count += 1) window.add(2);
    expect(window.percentiles()).toEqual({ p50Ms: 2, p99Ms: 2 });
  });

  it("forgets what is long past", () => {
    let now = 0;
    const window = new LatencyWindow(() => now);
    window.add(900);
    now = keptMs;
    window.add(1);
    expect(window.percentiles()).toEqual({ p50Ms: 1, p99Ms: 1 });
  });

  it("takes a clock that ran ahead for no time at all", () => {
    const window = new LatencyWindow();
    window.add(-3);
    expect(window.percentiles().p50Ms).toBe(0);
  });
});
