import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readFetchBody } from "./fetch-body.ts";

const limits = { maxBodyBytes: 100, bodyTimeoutMs: 1000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a body of a Fetch request", () => {
  it("is given as its bytes, in however many pieces it comes, and leaves no timer", async () => {
    for (const pieces of [[], ["whole"], ["in ", "", "pieces"]]) {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      });
      expect(new TextDecoder().decode(await readFetchBody(request(body), limits))).toBe(pieces.join(""));
      expect(vi.getTimerCount()).toBe(0);
    }
    expect(await readFetchBody(new Request("http://localhost/", { method: "POST" }), limits)).toHaveLength(0);
  });

  it("that somebody holds is refused, though nothing was read of it", async () => {
    const held = request("body");
    held.body?.getReader();
    expect(held.bodyUsed).toBe(false);
    await expect(readFetchBody(held, limits)).rejects.toMatchObject({ code: "body_already_parsed" });
  });

  it("that somebody has begun to read is refused, though nobody holds it", async () => {
    const begun = request("body");
    const reader = begun.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect([begun.bodyUsed, begun.body?.locked]).toEqual([true, false]);
    await expect(readFetchBody(begun, limits)).rejects.toMatchObject({ code: "body_already_parsed" });
  });

  it("is waited for until the deadline, and no longer", async () => {
    const read = readFetchBody(request(new ReadableStream()), limits);
    vi.advanceTimersByTime(1000);
    await expect(read).rejects.toMatchObject({ code: "body_timed_out" });
  });
});

function request(body: string | ReadableStream<Uint8Array>): Request {
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
  return new Request("http://localhost/", init);
}
