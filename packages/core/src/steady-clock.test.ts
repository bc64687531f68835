import { expect, it } from "vitest";
import { steadyClock } from "./steady-clock.ts";

it("a steady clock goes on from where it was, however often the time of day is set back", () => {
  let time = 1_000_000;
  const { now } = steadyClock({ now: () => time });
  const seen = [1_000, -500_000, 10, 0, -3, 40, 7_000, -7_000, 1].map((passed) => {
    time += passed;
    return now();
  });
  expect(seen.map((each) => each - 1_001_000)).toEqual([0, 0, 10, 10, 10, 50, 7_050, 7_050, 7_051]);
});
