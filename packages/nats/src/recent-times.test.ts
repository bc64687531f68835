import { expect, it } from "vitest";
import { RecentTimes, maxRecentTimes } from "./recent-times.ts";

it("remembers the times of the newest events, and no more", () => {
  const times = new RecentTimes();
  for (let sequence = 1; sequence <= maxRecentTimes + 1; sequence += 1) times.put(sequence, String(sequence));
  expect([1, 2, maxRecentTimes + 1, maxRecentTimes + 2].map((sequence) => times.at(sequence))).toEqual([
    undefined,
    "2",
    String(maxRecentTimes + 1),
    undefined,
  ]);
});
