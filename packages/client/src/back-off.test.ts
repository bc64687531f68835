import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { backOffMs } from "./back-off.ts";

describe("the wait before another try", () => {
  it("lies anywhere from half a second to a bound that doubles up to 20 s", () => {
    const bounds = [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000];
    for (const [failures, bound] of bounds.entries()) {
      expect(backOffMs(failures, { next: () => 0 })).toBe(500);
      expect(backOffMs(failures, { next: () => 1 })).toBe(bound);
    }
  });

  it("stays within half a second and 20 s after however many failures", async () => {
    await forEachSeed(100, (random) => {
      const ms = backOffMs(random.integer(0, 1_000_000), random);
      expect(ms).toBeGreaterThanOrEqual(500);
      expect(ms).toBeLessThanOrEqual(20_000);
    });
  });
});
