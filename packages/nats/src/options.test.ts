import { describe, expect, it } from "vitest";
import { resolveJetStreamOptions, type JetStreamOptions } from "./options.ts";

describe("options of a JetStream store", () => {
  it("are complete and frozen, with the defaults of the README", () => {
    const resolved = resolveJetStreamOptions({});
    expect(resolved).toMatchObject({
      servers: ["nats://127.0.0.1:4222"],
      stream: "starcast",
      credentials: null,
      tls: null,
      replicas: 1,
      retention: { maxEvents: 1_000_000, maxBytes: 1_073_741_824, maxAgeMs: Infinity },
      durability: "process",
      maxInFlight: 256,
      publishTimeoutMs: 5_000,
      whileAway: "wait",
      isSingleWriter: false,
      dedupeWindowMs: 300_000,
      maxPerEndpoint: 100_000,
    });
    for (const each of [resolved, resolved.servers, resolved.retention]) expect(Object.isFrozen(each)).toBe(true);
  });

  it("take one server or several, and undefined as absent", () => {
    expect(resolveJetStreamOptions({ servers: "nats://a:1", replicas: undefined }).servers).toEqual(["nats://a:1"]);
    expect(resolveJetStreamOptions({ servers: ["nats://a:1", "nats://b:2"] }).servers).toHaveLength(2);
  });

  it("are not changed by a list that is changed later", () => {
    const servers = ["nats://a:1"];
    const resolved = resolveJetStreamOptions({ servers });
    servers.push("nats://evil:2");
    expect(resolved.servers).toEqual(["nats://a:1"]);
  });

  it.each([
    [{ servers: [1] }, "servers"],
    [{ stream: "x".repeat(65) }, "stream"],
    [{ stream: "a>b" }, "stream"],
    [{ replicas: 6 }, "replicas"],
    [{ durability: "memory" }, "durability"],
    [{ isSingleWriter: 1 }, "isSingleWriter"],
    [{ maxInFlight: 65_537 }, "maxInFlight"],
    [{ dedupeWindowMs: 99 }, "dedupeWindowMs"],
    [{ retention: { maxBytes: 1_023 } }, "retention.maxBytes"],
    [{ retention: { maxAgeMs: 999 } }, "retention.maxAgeMs"],
    [{ retention: { maxevents: 10 } }, "retention"],
    [{ credentials: {} }, "credentials"],
  ])("%j are refused by the name of %s", (options, option) => {
    expect(() => resolveJetStreamOptions(options as JetStreamOptions)).toThrow(
      expect.objectContaining({ code: "invalid_option", option }) as Error,
    );
  });
});
