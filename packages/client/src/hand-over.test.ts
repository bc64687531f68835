import { describe, expect, it } from "vitest";
import { handOver } from "./hand-over.ts";

const ignore = (): void => undefined;

describe("a hand-over", () => {
  it("gives each item once and in order, to as many as ask", async () => {
    const queue = handOver<number>(10, ignore, ignore);
    const asked = [queue.next(), queue.next(), queue.next()];
    queue.push(1);
    queue.push(2);
    queue.push(3);
    queue.push(4);
    expect((await Promise.all(asked)).map(({ value }) => value as number)).toEqual([1, 2, 3]);
    expect(await queue.next()).toEqual({ value: 4, done: false });
  });

  it("is full at its limit, and says when half of it is taken", async () => {
    let room = 0;
    const queue = handOver<number>(4, () => (room += 1), ignore);
    for (let item = 0; item < 4; item += 1) queue.push(item);
    expect(queue.isFull()).toBe(true);
    await queue.next();
    expect([queue.isFull(), room]).toEqual([false, 0]);
    await queue.next();
    expect(room).toBe(1);
  });

  it("gives what is queued before it ends, and throws what ended it once", async () => {
    const queue = handOver<number>(4, ignore, ignore);
    queue.push(1);
    queue.end(new Error("gone"));
    expect(await queue.next()).toEqual({ value: 1, done: false });
    await expect(queue.next()).rejects.toThrow("gone");
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  it("that is left gives nothing more, to whoever waits", async () => {
    let returned = 0;
    const queue = handOver<number>(4, ignore, () => (returned += 1));
    const waiting = queue.next();
    await queue.return?.();
    expect(await waiting).toEqual({ value: undefined, done: true });
    queue.push(1);
    expect(returned).toBe(1);
  });
});
