import { describe, expect, it } from "vitest";
import { resolveConnectOptions } from "../options.ts";
import type { WebSocketLike } from "../websocket-source.ts";
import { TabsFeed, type BroadcastChannelLike } from "./tabs-feed.ts";

/** A tab whose browser gives no lock, and lets nobody through. */
function tab(): { readonly feed: TabsFeed; readonly channel: BroadcastChannelLike; readonly asked: string[] } {
  const asked: string[] = [];
  class Socket {
    readonly onopen = null;
    constructor() {
      asked.push("socket");
    }
    send(): void {}
    close(): void {}
  }
  const channel: BroadcastChannelLike = { onmessage: null, postMessage: () => undefined, close: () => undefined };
  const runtime = { webSocket: Socket as unknown as new () => WebSocketLike };
  const feed = new TabsFeed(resolveConnectOptions({ url: "http://a.test/", runtime }), "tabs", {
    locks: {
      request: () => {
        asked.push("lock");
        return new Promise(() => undefined);
      },
    },
    channel: () => channel,
  });
  return { feed, channel, asked };
}

describe("a tab", () => {
  it("that is closed by the first word it says asks for nothing any more", () => {
    const { feed, asked } = tab();
    const kinds: string[] = [];
    feed.start(null, ({ state }) => {
      if (state !== undefined) kinds.push(state.kind);
      feed.close();
    });
    expect(kinds).toEqual(["connecting", "closed"]);
    expect(asked).toEqual([]);
  });

  it("hears nothing before it knows where to begin", async () => {
    const { feed, channel, asked } = tab();
    const state = { kind: "live", reason: "at_head", transport: "websocket" } as const;
    // Between the two it missed something, which would be followed from the wrong place.
    for (const [from, place] of [
      ["a-5", "a-6"],
      ["a-9", "a-10"],
    ])
      channel.onmessage?.({ data: { from, place, state } } as never);
    await Promise.resolve();
    await Promise.resolve();
    expect(asked).toEqual([]);
    feed.start("a-1", () => undefined);
    expect(feed.place).toBe("a-1");
    expect(asked).toEqual(["lock"]);
    feed.close();
  });
});
