import { describe, expect, it } from "vitest";
import { HistoryJudge } from "./history-judge.ts";

describe("the judge of a client's history", () => {
  it.each([
    { told: [1, 2, 3], verdict: "whole", faults: {} },
    { told: [1, { after: 1, through: 4 }, 5], verdict: "whole", faults: {} },
    { told: [1, 3, 4], verdict: "after 1 came 3", faults: { lost: 1 } },
    { told: [2], verdict: "after 0 came 2", faults: { lost: 1 } },
    { told: [1, 2, 2, 3], verdict: "after 2 came 2", faults: { repeated: 1 } },
    { told: [1, 2, 1, 2, 3], verdict: "after 2 came 1", faults: { repeated: 2 } },
    {
      told: [1, { after: 2, through: 4 }, 5],
      verdict: "after 1 came a gap after 2 through 4",
      faults: { wrongGaps: 1 },
    },
    { told: [2, { after: 0, through: 4 }, 5], verdict: "after 0 came 2", faults: { lost: 1, wrongGaps: 1 } },
    {
      told: [1, { after: 1, through: 1 }, 2],
      verdict: "after 1 came a gap after 1 through 1",
      faults: { wrongGaps: 1 },
    },
  ])("says $verdict of $told", ({ told, verdict, faults }) => {
    const judge = new HistoryJudge(0);
    for (const entry of told)
      if (typeof entry === "number") judge.takeEvent(entry);
      else judge.takeGap(entry.after, entry.through);
    expect(judge.verdict).toBe(verdict);
    expect(judge.faults).toEqual({ repeated: 0, lost: 0, wrongGaps: 0, ...faults });
  });
});
