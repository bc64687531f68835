import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { discardRest, readNodeBody } from "./node-body.ts";

const limits = { maxBodyBytes: 100, bodyTimeoutMs: 1000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("what is left of a refused body", () => {
  it.each([
    ["when it is more than may pass", (body: PassThrough) => void body.write("x".repeat(11))],
    ["when it is over", (body: PassThrough) => void body.end("x".repeat(10))],
    ["when it breaks", (body: PassThrough) => void body.destroy(new Error("reset"))],
    ["when it takes too long", () => void vi.advanceTimersByTime(1000)],
  ])("is let pass, and no longer watched %s", async (_when, act) => {
    const body = request();
    body.on("error", () => undefined);
    const before = body.eventNames().map((name) => body.listenerCount(name));
    const ended = vi.fn();
    const isOver = new Promise<void>((resolve) => {
      discardRest(body, { maxBytes: 10, maxMs: 1000 }, () => {
        ended();
        resolve();
      });
    });
    act(body);
    await isOver;
    expect(ended).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    expect(body.eventNames().map((name) => body.listenerCount(name))).toEqual(before);
  });

  it("may be exactly as much as may pass", async () => {
    const body = request();
    const ended = vi.fn();
    discardRest(body, { maxBytes: 10, maxMs: 1000 }, ended);
    const passed = new Promise<void>((resolve) => body.once("data", () => resolve()));
    body.write("x".repeat(10));
    await passed;
    expect(ended).not.toHaveBeenCalled();
  });
});

describe("a body of a Node request", () => {
  it("leaves no timer and no listener but the one for what breaks later, whatever became of it", async () => {
    for (const [act, outcome] of [
      [(body: PassThrough) => void body.end("x"), undefined],
      [(body: PassThrough) => void body.write("x".repeat(101)), "body_too_large"],
      [(body: PassThrough) => void body.destroy(), "body_aborted"],
      [(body: PassThrough) => void body.destroy(new Error("reset")), "body_aborted"],
      [() => void vi.advanceTimersByTime(1000), "body_timed_out"],
    ] as const) {
      const body = request();
      const before = body.listenerCount("end");
      const read = readNodeBody(body, limits).then(
        () => undefined,
        (error: { readonly code: string }) => error.code,
      );
      act(body);
      expect(await read).toBe(outcome);
      expect(vi.getTimerCount()).toBe(0);
      expect(["data", "end", "close"].map((name) => body.listenerCount(name))).toEqual([0, before, 0]);
      expect(() => body.emit("error", new Error("later"))).not.toThrow();
    }
  });

  it("is waited for as long as it takes, where there is no limit", async () => {
    const body = request();
    const read = readNodeBody(body, { maxBodyBytes: Infinity, bodyTimeoutMs: Infinity });
    vi.advanceTimersByTime(86_400_000);
    body.end("x");
    expect(String(await read)).toBe("x");
  });

  it("that somebody has begun to read is refused", async () => {
    const body = request();
    const begun = new Promise<void>((resolve) => body.once("data", () => resolve()));
    body.write("first");
    await begun;
    await expect(readNodeBody(body, limits)).rejects.toMatchObject({ code: "body_already_parsed" });
  });

  it("that somebody has made texts of is refused", async () => {
    const body = request();
    body.setEncoding("utf8");
    body.end("text");
    await expect(readNodeBody(body, limits)).rejects.toMatchObject({ code: "body_already_parsed" });
  });
});

function request(): PassThrough & { readonly headers: Record<string, string> } {
  return Object.assign(new PassThrough(), { headers: {} });
}
