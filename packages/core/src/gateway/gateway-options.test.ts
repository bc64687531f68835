import { describe, expect, it } from "vitest";
import { gatewayOptionKeys, resolveGatewayOptions, type GatewayOptions } from "./gateway-options.ts";
import { allowAnyone } from "./grant.ts";

const resolve = (options: Partial<GatewayOptions>): ReturnType<typeof resolveGatewayOptions> =>
  resolveGatewayOptions({ authorize: allowAnyone, ...options });

describe("the options of a gateway", () => {
  it("are complete and frozen", () => {
    const resolved = resolve({});
    expect(Object.keys(resolved).toSorted()).toEqual([...gatewayOptionKeys].toSorted());
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(resolved.connections).toEqual({
      maxConnections: 10_000,
      maxPerAddress: 100,
      maxPerIdentity: 20,
      maxNewPerSecond: 200,
    });
  });

  it("must say who comes in", () => {
    expect(() => resolveGatewayOptions({} as GatewayOptions)).toThrow("allowAnyone");
    expect(() => resolveGatewayOptions(undefined as never)).toThrow("authorize");
  });

  it("refuse a misspelled limit, as it would be none", () => {
    expect(() => resolve({ connections: { maxPerAdress: 5 } as never })).toThrow("maxPerAddress");
  });

  it.each<[Partial<GatewayOptions>, string]>([
    [{ allowedOrigins: ["*"] }, "allowedOrigins[0]"],
    [{ allowedOrigins: ["null"] }, "allowedOrigins[0]"],
    [{ allowedOrigins: ["https://a.example/"] }, "allowedOrigins[0]"],
    [{ allowedOrigins: "https://a.example" as never }, "allowedOrigins"],
    [{ allowedHosts: ["https://a.example"] }, "allowedHosts[0]"],
    [{ trustedProxies: ["10.0.0.0/8", "loopback"] }, "trustedProxies[1]"],
    [{ connections: { maxConnections: 0 } }, "connections.maxConnections"],
    [{ authorizeTimeoutMs: 1 }, "authorizeTimeoutMs"],
    [{ maxReplayEvents: -1 }, "maxReplayEvents"],
    [{ tokenGraceMs: 0.5 }, "tokenGraceMs"],
  ])("%j names the option at fault", (options, option) => {
    expect(() => resolve(options)).toThrow(`\`${option}\``);
  });
});
