import { describe, expect, it } from "vitest";
import type { Delivery } from "@starcast/core";
import { attempt, delivery, leaseMs, type OpenDeliveries } from "./deliveries-rig.ts";

const eventIds = (deliveries: readonly Delivery[]): readonly string[] => deliveries.map(({ event }) => event.id);

/** The promises of looking at deliveries, giving them another chance, and forgetting them. */
export function describeListing(open: OpenDeliveries): void {
  describe("list", () => {
    it("shows an endpoint's deliveries, newest first, in pages", async () => {
      const { deliveries, surroundings } = await open();
      for (let index = 0; index < 7; index += 1) {
        await deliveries.put([delivery(`e${index}`, "ep"), delivery(`e${index}`, "other")]);
        await surroundings.advance(10);
      }
      const seen: string[] = [];
      let next: string | null | undefined;
      do {
        const page = await deliveries.list({ endpointId: "ep" }, { limit: 3, next: next ?? undefined });
        expect(page.deliveries.length).toBeLessThanOrEqual(3);
        seen.push(...eventIds(page.deliveries));
        ({ next } = page);
        // What comes meanwhile is newer, and shifts nothing.
        await deliveries.put([delivery(`new${seen.length}`, "ep")]);
      } while (next !== null);
      expect(seen).toEqual(["e6", "e5", "e4", "e3", "e2", "e1", "e0"]);
    });

    it("selects by state and by time of creation", async () => {
      const { deliveries, claim, now, surroundings } = await open();
      await deliveries.put([delivery("e1", "ep")]);
      const [first] = await claim();
      if (first === undefined) throw new Error("Expected a claim, got none");
      await deliveries.bury(first, attempt(now()), "exhausted");
      await surroundings.advance(100);
      const later = now();
      await deliveries.put([delivery("e2", "ep"), delivery("e3", "ep", { dueAt: now() + 1 })]);
      await claim();
      const listed = async (selection: object) =>
        eventIds((await deliveries.list({ endpointId: "ep", ...selection }, { limit: 10 })).deliveries).toSorted();
      expect(await listed({ states: ["dead"] })).toEqual(["e1"]);
      expect(await listed({ states: ["attempting"] })).toEqual(["e2"]);
      expect(await listed({ states: ["pending", "dead"] })).toEqual(["e1", "e3"]);
      expect(await listed({ since: later })).toEqual(["e2", "e3"]);
      expect(await listed({ until: later })).toEqual(["e1"]);
      expect(await listed({ eventId: "e3" })).toEqual(["e3"]);
      expect(await listed({ states: [] })).toEqual([]);
    });

    it("selects over all endpoints, where the engine can", async () => {
      const { deliveries } = await open();
      if (!deliveries.canQuery) return;
      await deliveries.put([delivery("e1", "a"), delivery("e1", "b"), delivery("e2", "a")]);
      const { deliveries: found, next } = await deliveries.list({ eventId: "e1" }, { limit: 10 });
      expect(found.map(({ endpointId }) => endpointId).toSorted()).toEqual(["a", "b"]);
      expect(next).toBeNull();
    });
  });

  describe("backlog and nextDueAt", () => {
    it("tell what waits, and when to look again", async () => {
      const { deliveries, claim, now } = await open();
      expect(await deliveries.backlog("ep")).toEqual({ pending: 0, attempting: 0, dead: 0, nextDueAt: null });
      expect(await deliveries.nextDueAt(() => true)).toBeNull();
      const base = now();
      await deliveries.put([
        delivery("e1", "ep"),
        delivery("e2", "ep", { dueAt: base + 500 }),
        delivery("e3", "other", { dueAt: base + 200 }),
      ]);
      await claim({ perEndpoint: (endpoint) => (endpoint === "ep" ? 1 : 0) });
      expect(await deliveries.backlog("ep")).toEqual({ pending: 1, attempting: 1, dead: 0, nextDueAt: base + 500 });
      expect(await deliveries.nextDueAt(() => true)).toBe(base + 200);
      expect(await deliveries.nextDueAt((endpoint) => endpoint === "ep")).toBe(base + 500);
      expect(await deliveries.nextDueAt(() => false)).toBeNull();
    });

    it("wake a sleeper for a lease that ends", async () => {
      const { deliveries, claim, now } = await open();
      await deliveries.put([delivery("e1", "ep")]);
      await claim();
      expect(await deliveries.nextDueAt(() => true)).toBe(now() + leaseMs);
    });

    it("do not count what waits behind an older one of its order key", async () => {
      const { deliveries, now } = await open();
      const base = now();
      await deliveries.put([
        delivery("k1", "ep", { orderKey: "k", dueAt: base + 900 }),
        delivery("k2", "ep", { orderKey: "k", dueAt: base }),
      ]);
      expect(await deliveries.nextDueAt(() => true)).toBe(base + 900);
    });
  });

  describe("redeliver", () => {
    it("makes finished deliveries due again, counting attempts from 0", async () => {
      const { deliveries, claim, now } = await open();
      await deliveries.put([
        delivery("e1", "ep"),
        delivery("e2", "ep"),
        delivery("e3", "ep", { dueAt: now() + 60_000 }),
      ]);
      const [first, second] = await claim({ perEndpoint: () => 2 });
      if (first === undefined || second === undefined) throw new Error("Expected two claims, got fewer");
      await deliveries.bury(first, attempt(now()), "exhausted");
      await deliveries.succeed(second, attempt(now()));
      expect(await deliveries.redeliver({ endpointId: "ep", states: ["dead"] }, now())).toBe(1);
      expect(await deliveries.get("ep", "e1")).toMatchObject({
        state: { kind: "pending", dueAt: now() },
        attemptCount: 0,
      });
      expect(await deliveries.redeliver({ endpointId: "ep", eventId: "e2" }, now())).toBe(1);
      expect(await deliveries.redeliver({ endpointId: "ep" }, now())).toBe(0);
      expect(eventIds((await claim({ perEndpoint: () => 10 })).map((each) => each.delivery)).toSorted()).toEqual([
        "e1",
        "e2",
      ]);
    });
  });

  describe("forget", () => {
    it("forgets what ended before, in bounded steps, and nothing unfinished", async () => {
      const { deliveries, claim, now, surroundings } = await open();
      await deliveries.put([1, 2, 3, 4].map((index) => delivery(`e${index}`, "ep")));
      const claims = await claim({ perEndpoint: () => 3 });
      for (const each of claims) await deliveries.succeed(each, attempt(now()));
      expect(await deliveries.forget(now(), 10)).toBe(0);
      await surroundings.advance(1);
      expect(await deliveries.forget(now(), 2)).toBe(2);
      expect(await deliveries.forget(now(), 2)).toBe(1);
      expect(await deliveries.forget(now(), 2)).toBe(0);
      expect(eventIds((await deliveries.list({ endpointId: "ep" }, { limit: 10 })).deliveries)).toEqual(["e4"]);
      expect(await deliveries.put([delivery("e1", "ep")])).toMatchObject({ stored: 1 });
    });
  });

  describe("removeEndpoint", () => {
    it("removes every delivery of it, and no other", async () => {
      const { deliveries, claim } = await open();
      await deliveries.put([delivery("e1", "ep"), delivery("e2", "ep"), delivery("e1", "other")]);
      await claim();
      await deliveries.removeEndpoint("ep");
      await deliveries.removeEndpoint("ep");
      expect(await deliveries.get("ep", "e1")).toBeNull();
      expect(await deliveries.backlog("ep")).toMatchObject({ pending: 0, attempting: 0 });
      expect((await deliveries.get("other", "e1"))?.event.json).toBe('"e1"');
      expect(await deliveries.put([delivery("e1", "ep")])).toMatchObject({ stored: 1 });
    });
  });
}
