import { describe, expect, it } from "vitest";
import { fakeTime, turns } from "../../test/fake-time.ts";
import { Broker } from "../broker/broker.ts";
import { WakeUp } from "./wake-up.ts";

describe("the next tick", () => {
  it("comes once per turn, however much asks for it", async () => {
    const { wakeUp, ticks } = house(0);
    for (let index = 0; index < 5; index += 1) {
      wakeUp.flush();
      wakeUp.now();
    }
    await turns(2);
    expect(ticks()).toBe(1);
  });

  it("comes at the end of the flush window, counted from the first publication", async () => {
    const { wakeUp, time, ticks } = house(10);
    wakeUp.flush();
    await time.advance(6);
    wakeUp.flush();
    await time.advance(3);
    expect([ticks(), time.timers]).toEqual([0, 1]);
    await time.advance(1);
    expect([ticks(), time.timers]).toEqual([1, 0]);
  });

  it("comes in the next turn for a cursor that is ready, and takes the window's with it", async () => {
    const { wakeUp, time, ticks } = house(10);
    wakeUp.flush();
    wakeUp.now();
    await turns(2);
    expect([ticks(), time.timers]).toEqual([1, 0]);
  });

  it("does not come any more after close", async () => {
    const { wakeUp, time, ticks } = house(10);
    wakeUp.flush();
    wakeUp.close();
    wakeUp.flush();
    wakeUp.now();
    await time.advance(100);
    expect([ticks(), time.timers]).toEqual([0, 0]);
  });
});

describe("a broker with a flush window", () => {
  it("gathers what is published within it into one batch", async () => {
    const time = fakeTime();
    const broker = new Broker({ observe: [], flushMs: 10, surroundings: time });
    const batches: number[][] = [];
    broker.attach({
      deliver: ({ events }) => batches.push(events.map(({ offset }) => offset)) && events.length,
      gap: () => undefined,
      close: () => undefined,
    });
    await turns(2);
    for (let data = 0; data < 4; data += 1) {
      await broker.publish("a.b", data);
      await time.advance(2);
    }
    expect([batches, broker.queueDepth]).toEqual([[], 4]);
    await time.advance(2);
    expect([batches, broker.queueDepth]).toEqual([[[1, 2, 3, 4]], 0]);
    await broker.close();
  });
});

function house(flushMs: number) {
  const time = fakeTime();
  let ticks = 0;
  const wakeUp: WakeUp = new WakeUp({
    scheduler: time.scheduler,
    flushMs,
    tick: () => {
      ticks += 1;
      wakeUp.arrived();
    },
  });
  return { wakeUp, time, ticks: () => ticks };
}
