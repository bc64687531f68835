import { describe, expect, it } from "vitest";
import { DamagedDeliveries, maxUntold } from "./damaged-deliveries.ts";

describe("deliveries that cannot be read", () => {
  it("are told of once, a bounded number", () => {
    const damaged = new DamagedDeliveries();
    for (let revision = 1; revision <= maxUntold + 1; revision += 1)
      expect(damaged.read({ key: `partner.e-${revision}`, value: "hello", revision }, "hello")).toBeNull();
    const told: string[] = [];
    damaged.tell((endpointId) => void told.push(endpointId));
    damaged.tell((endpointId) => void told.push(endpointId));
    expect(told).toEqual(Array.from({ length: maxUntold }, () => "partner"));
  });

  it("reject who cannot be told", () => {
    const damaged = new DamagedDeliveries();
    damaged.tell(undefined);
    damaged.read({ key: "a.b.c", value: "{}", revision: 1 }, "{}");
    expect(() => damaged.tell(undefined)).toThrow(expect.objectContaining({ code: "store_corrupt" }) as Error);
  });
});
