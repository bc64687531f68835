import { allowAnyone } from "@starcast/core/gateway";
import { describe, expect, it } from "vitest";
import { resolveWebSocketOptions, type WebSocketOptions } from "./options.ts";

const resolve = (options: Partial<WebSocketOptions>): ReturnType<typeof resolveWebSocketOptions> =>
  resolveWebSocketOptions({ authorize: allowAnyone, ...options });

describe("the options of a WebSocketGateway", () => {
  it("are safe for a public server by default", () => {
    expect(resolve({})).toMatchObject({
      path: "/events",
      source: "/events",
      name: "websocket",
      heartbeatMs: 25_000,
      pongTimeoutMs: 10_000,
      stallMs: 30_000,
      maxAgeMs: Infinity,
      inbound: { maxMessageBytes: 4_096, maxFragments: 16, maxChunks: 128, maxMessagesPerSecond: 20 },
    });
    expect(Object.isFrozen(resolve({}))).toBe(true);
  });

  it.each<[Partial<WebSocketOptions>, string]>([
    [{ paht: "/x" } as never, "did you mean `path`"],
    [{ inbound: { maxMessagesPerSecnd: 1 } as never }, "maxMessagesPerSecond"],
    [{ path: "events" }, "`path`"],
    [{ path: "/events?x" }, "`path`"],
    [{ name: "" }, "`name`"],
    [{ source: "not a uri" }, "`source`"],
    [{ server: {} as never }, "`server`"],
    [{ heartbeatMs: 999 }, "`heartbeatMs`"],
    [{ heartbeatMs: 10_000 }, "less than heartbeatMs (10000)"],
    [{ stallMs: "30s" as never }, '`"30s"` (string)'],
    [{ inbound: { maxMessageBytes: 0 } }, "`inbound.maxMessageBytes`"],
  ])("%j are refused with what to do", (options, message) => {
    expect(() => resolve(options)).toThrow(message);
  });
});
