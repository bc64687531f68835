import { describe, expect, it } from "vitest";
import { resolveConnectOptions, type ConnectOptions } from "./options.ts";

const url = "http://a.test/events";
const resolve = (options: object): unknown => resolveConnectOptions({ url, ...options } as ConnectOptions);

describe("the options of a client", () => {
  it("are complete, and undefined ones are not given", () => {
    expect(resolveConnectOptions({ url, types: undefined, transport: undefined, runtime: undefined })).toMatchObject({
      ...{ types: null, subjects: null, after: "latest", getToken: null, positions: null, signal: null },
      ...{ credentials: "same-origin", maxBufferedEvents: 1_000 },
    });
  });

  it.each([
    { transport: "carrier-pigeon" },
    { transport: null },
    { credentials: "some" },
    { after: "yesterday" },
    { after: 7 },
    { types: [] },
    { types: "model.*" },
    { types: [""] },
    { subjects: [7] },
    { getToken: "secret" },
    { positions: {} },
    { positions: { load: () => null } },
    { maxBufferedEvents: 0 },
    { maxBufferedEvents: "many" },
    { signal: {} },
    { tpyes: ["model.*"] },
    { runtime: { fecth: fetch } },
    { runtime: 7 },
  ])("are not %j", (options) => {
    expect(() => resolve(options)).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });

  it("are named when they are wrong, and what came is not shown", () => {
    expect(() => resolve({ getToken: "hunter2" })).toThrow("Expected `getToken` to be a function, got string");
    expect(() => resolve({ tpyes: [] })).toThrow(/`options\.tpyes`.*subjects/);
  });

  it("cannot ask for WebSockets where there are none", () => {
    const given = globalThis.WebSocket;
    Reflect.deleteProperty(globalThis, "WebSocket");
    try {
      expect(() => resolve({ transport: "websocket" })).toThrow(expect.objectContaining({ code: "unsupported" }));
      expect(resolve({})).toMatchObject({ transport: "sse" });
    } finally {
      if (given !== undefined) Object.assign(globalThis, { WebSocket: given });
    }
  });
});
