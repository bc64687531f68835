import { fakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { Deadlines } from "./deadlines.ts";

function watched(offset = { ms: 0 }): {
  time: ReturnType<typeof fakeSurroundings>;
  late: string[];
  deadlines: Deadlines<string>;
} {
  const time = fakeSurroundings();
  const late: string[] = [];
  const deadlines = new Deadlines<string>({
    clock: { now: () => time.clock.now() + offset.ms },
    scheduler: time.scheduler,
    ms: 100,
    onLate: (item) => late.push(item),
  });
  return { time, late, deadlines };
}

describe("deadlines", () => {
  it("come in order, each at its own time", async () => {
    const { time, late, deadlines } = watched();
    deadlines.add("a");
    await time.advance(40);
    deadlines.add("b");
    await time.advance(59);
    expect(late).toEqual([]);
    await time.advance(1);
    expect(late).toEqual(["a"]);
    await time.advance(39);
    expect(late).toEqual(["a"]);
    await time.advance(1);
    expect(late).toEqual(["a", "b"]);
    expect(time.timerCount).toBe(0);
  });

  it("do not come for what ended in time", async () => {
    const { time, late, deadlines } = watched();
    for (const item of ["a", "b", "c"]) deadlines.add(item);
    deadlines.remove("a");
    deadlines.remove("c");
    deadlines.remove("never added");
    await time.advance(1_000);
    expect(late).toEqual(["b"]);
  });

  it("need one timer, however many there are, and none once closed", async () => {
    const { time, late, deadlines } = watched();
    for (let count = 0; count < 1_000; count += 1) deadlines.add(String(count));
    expect(time.timerCount).toBe(1);
    deadlines.close();
    expect(time.timerCount).toBe(0);
    await time.advance(1_000);
    expect(late).toEqual([]);
  });

  it("may set new ones when they come", async () => {
    const { time, late, deadlines } = watched();
    const again = new Deadlines<string>({
      clock: time.clock,
      scheduler: time.scheduler,
      ms: 100,
      onLate: (item) => {
        late.push(item);
        if (late.length < 3) again.add(item);
      },
    });
    again.add("a");
    deadlines.close();
    await time.advance(1_000);
    expect(late).toEqual(["a", "a", "a"]);
  });

  it("come as they would when the clock is set back by hours", async () => {
    const offset = { ms: 0 };
    const { time, late, deadlines } = watched(offset);
    deadlines.add("before");
    await time.advance(50);
    deadlines.add("before, too");
    offset.ms = -3 * 3_600_000;
    deadlines.add("after");
    await time.advance(50);
    expect(late).toEqual(["before"]);
    await time.advance(50);
    expect(late).toEqual(["before", "before, too", "after"]);
  });
});
