import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { judge, type TabNotice } from "./tab-notice.ts";

const notice = (from: string | null, place: string | null, gap: TabNotice["gap"] = null): TabNotice => ({
  ...{ from, place, gap, event: null },
  state: { kind: "live", reason: "at_head", transport: "websocket" },
});
const gap = { after: "e-3", through: "e-9", reason: "trimmed" };

describe("what the leading tab tells", () => {
  it.each([
    ["e-3", "e-3", "e-4", null, "take"],
    ["e-3", "e-3", "e-3", null, "take"],
    ["e-4", "e-3", "e-4", null, "pass"],
    ["e-9", "e-3", "e-4", null, "pass"],
    ["e-2", "e-3", "e-4", null, "missed"],
    ["e-5", "e-3", "e-8", null, "take"],
    [null, null, "e-4", null, "take"],
    ["e-3", null, "e-4", null, "missed"],
    [null, "e-3", "e-4", null, "missed"],
    ["e-3", "e-3", "f-4", null, "take"],
    ["e-3", "e-2", "f-4", null, "missed"],
    ["f-3", "e-3", "f-4", null, "missed"],
    ["e-3", "e-3", "e-9", gap, "take"],
    ["e-5", "e-3", "e-9", gap, "missed"],
    ["e-9", "e-3", "e-9", gap, "pass"],
    ["e-3", "e-3", null, null, "take"],
    ["e-4", "e-3", null, null, "missed"],
  ] as const)("is, at %s, from %s to %s with gap %j: to be judged %s", (place, from, to, missing, judgement) => {
    expect(judge(place, notice(from, to, missing))).toBe(judgement);
  });

  it("is taken once and in order by who misses some and catches up by itself", async () => {
    await forEachSeed(100, (random) => {
      let [leading, place] = [0, 0];
      const taken: number[] = [];
      for (let told = 0; told < 200; told += 1) {
        // A tab that takes over may stand behind the others.
        if (random.chance(0.05)) leading = random.integer(0, leading);
        const from = leading;
        leading += random.integer(1, 3);
        if (random.chance(0.1)) continue;
        const judgement = judge(`e-${place}`, notice(`e-${from}`, `e-${leading}`));
        if (judgement === "missed") expect(from).toBeGreaterThan(place);
        if (judgement === "pass") expect(leading).toBeLessThanOrEqual(place);
        if (judgement !== "pass") taken.push((place = leading));
      }
      expect(taken).toEqual([...new Set(taken)].toSorted((one, other) => one - other));
    });
  });
});
