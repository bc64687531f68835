import { json } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { describe, expect, it } from "vitest";
import { resolveSseOptions, type SseOptions } from "./options.ts";

const resolve = (options: object): ReturnType<typeof resolveSseOptions> =>
  resolveSseOptions({ authorize: allowAnyone, ...options } as SseOptions);

describe("the options of an SSE gateway", () => {
  it("are complete and frozen", () => {
    const resolved = resolve({});
    expect(resolved).toMatchObject({
      name: "sse",
      payload: "envelope",
      heartbeatMs: 15_000,
      stallMs: 30_000,
      maxAgeMs: 900_000,
      retry: { minMs: 1_000, maxMs: 5_000 },
      gateway: { tokenGraceMs: 25_000, maxReplayEvents: 10_000 },
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it("take undefined for absent, an encoding, and ages without end", () => {
    expect(resolve({ heartbeatMs: undefined, payload: json, maxAgeMs: Infinity })).toMatchObject({
      heartbeatMs: 15_000,
      payload: json,
      maxAgeMs: Infinity,
    });
    expect(resolve({ retry: { minMs: 9_000 } }).retry).toEqual({ minMs: 9_000, maxMs: 9_000 });
  });

  it.each<[object, string]>([
    [{ authorize: undefined }, "authorize"],
    [{ heartBeatMs: 1_000 }, "did you mean `heartbeatMs`?"],
    [{ heartbeatMs: 0 }, "heartbeatMs"],
    [{ heartbeatMs: "15s" }, 'got `"15s"` (string)'],
    [{ stallMs: 1 }, "stallMs"],
    [{ maxAgeMs: -1 }, "maxAgeMs"],
    [{ payload: "xml" }, "payload"],
    [{ payload: {} }, "payload"],
    [{ name: "" }, "name"],
    [{ retry: { minMs: 5, maxMs: 4 } }, "retry.minMs` to be at most retry.maxMs (4)"],
    [{ retry: { min: 5 } }, "did you mean `minMs`?"],
    [{ allowedOrigins: ["*"] }, "allowedOrigins[0]"],
  ])("refuse %j", (options, message) => {
    const refused = expect.objectContaining({
      code: "invalid_option",
      message: expect.stringContaining(message) as string,
    });
    expect(() => resolve(options)).toThrow(refused);
  });
});
