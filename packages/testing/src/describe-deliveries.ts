import { describe, expect, it } from "vitest";
import { describeClaiming } from "./describe-claiming.ts";
import {
  attempt,
  delivery,
  rigOf,
  type DeliveriesRequest,
  type OpenDeliveries,
  type OpenedDeliveries,
} from "./deliveries-rig.ts";
import { describeListing } from "./describe-listing.ts";
import { codeOf } from "./engine-rig.ts";
import { fakeSurroundings } from "./fake-surroundings.ts";

/** An engine's deliveries, and what they can do. */
export interface DeliveriesContract {
  /** Empty deliveries with the checkpoints of the same engine. */
  open(request: DeliveriesRequest): Promise<OpenedDeliveries>;
  /** Closes them and opens the same data again. Required when durable. */
  reopen?: ((opened: OpenedDeliveries) => Promise<OpenedDeliveries>) | undefined;
  readonly durable: boolean;
  /** One process at a time has the store: whoever opens it knows that nobody works on a claim of before. */
  readonly exclusive?: boolean | undefined;
}

/** The promises of the `DeliveryStore` port, as tests: every engine runs them. */
export function describeDeliveries(name: string, contract: DeliveriesContract): void {
  describe(`the deliveries of ${name}`, () => {
    const open: OpenDeliveries = async (maxPerEndpoint = 1_000) => {
      const surroundings = fakeSurroundings();
      return rigOf(await contract.open({ surroundings, maxPerEndpoint }), surroundings);
    };

    describePutting(open);
    describeClaiming(open);
    describeListing(open);

    const { reopen } = contract;
    if (contract.durable && contract.exclusive === true)
      it("are the same when opened again, and the claims of before are over", async () => {
        const rig = await open();
        if (reopen === undefined) throw new Error("Expected `reopen` in the contract of a durable engine, got none");
        await rig.deliveries.put([delivery("e1", "ep"), delivery("e2", "ep"), delivery("e1", "other")]);
        const claims = await rig.claim({ perEndpoint: () => 10 });
        const [claim, done] = claims;
        if (claim === undefined || done === undefined) throw new Error("Expected two claims, got fewer");
        await rig.deliveries.succeed(done, attempt(rig.now()));
        const again = rigOf(await reopen(rig), rig.surroundings);
        expect(await codeOf(again.deliveries.succeed(claim, attempt(again.now())))).toBe("stale_claim");
        expect(await again.deliveries.put([delivery("e1", "ep"), delivery("e2", "ep")])).toMatchObject({ stored: 0 });
        expect(await again.claim({ perEndpoint: () => 10 })).toHaveLength(2);
      });
    else if (contract.durable)
      it("are the same when opened again, claims too", async () => {
        if (reopen === undefined) throw new Error("Expected `reopen` in the contract of a durable engine, got none");
        const rig = await open();
        await rig.deliveries.put([delivery("e1", "ep"), delivery("e2", "ep"), delivery("e1", "other")]);
        const [claim] = await rig.claim({ limit: 1 });
        if (claim === undefined) throw new Error("Expected a claim, got none");
        const again = rigOf(await reopen(rig), rig.surroundings);
        await again.deliveries.succeed(claim, attempt(again.now()));
        expect(await again.deliveries.get(claim.delivery.endpointId, claim.delivery.event.id)).toMatchObject({
          state: { kind: "succeeded" },
        });
        expect(await again.deliveries.put([delivery("e1", "ep"), delivery("e2", "ep")])).toEqual({
          stored: 0,
          overflowed: 0,
        });
        expect(await again.claim({ perEndpoint: () => 10 })).toHaveLength(2);
      });
  });
}

function describePutting(open: OpenDeliveries): void {
  describe("put", () => {
    it("stores a delivery with its own copy of the event", async () => {
      const { deliveries, now } = await open();
      const wanted = delivery("e1", "ep", { json: '{ "odd" : "\\u0000 é 😀" }', subject: "ключ" });
      expect(await deliveries.put([wanted])).toEqual({ stored: 1, overflowed: 0 });
      const stored = await deliveries.get("ep", "e1");
      expect(stored?.event).toEqual(wanted.event);
      expect(stored).toMatchObject({
        endpointId: "ep",
        createdAt: now(),
        attemptCount: 0,
        attempts: [],
        state: { kind: "pending", dueAt: 0 },
      });
    });

    it("is idempotent by event and endpoint, also within one call and for finished ones", async () => {
      const { deliveries, claim, now } = await open();
      expect(await deliveries.put([delivery("e1", "ep"), delivery("e1", "ep"), delivery("e1", "other")])).toMatchObject(
        { stored: 2 },
      );
      expect(await deliveries.put([delivery("e1", "ep")])).toMatchObject({ stored: 0 });
      const claims = await claim();
      for (const each of claims) await deliveries.succeed(each, attempt(now()));
      expect(await deliveries.put([delivery("e1", "ep"), delivery("e2", "ep")])).toMatchObject({ stored: 1 });
      expect(await deliveries.get("ep", "e1")).toMatchObject({ state: { kind: "succeeded" } });
    });

    it("moves the position of its lease with the deliveries", async () => {
      const { deliveries, checkpoints } = await open();
      const lease = await checkpoints.acquire("webhooks", 1_000);
      if (lease === null) throw new Error("Expected a lease, got null");
      await deliveries.put([delivery("e1", "ep")], { lease, position: { epoch: "abc", offset: 5 } });
      expect(await checkpoints.load("webhooks")).toEqual({ epoch: "abc", offset: 5 });
      await deliveries.put([], { lease, position: { epoch: "abc", offset: 9 } });
      expect(await checkpoints.load("webhooks")).toEqual({ epoch: "abc", offset: 9 });
    });

    it("moves no position for a lease that was taken over", async () => {
      const { deliveries, checkpoints, surroundings } = await open();
      const first = await checkpoints.acquire("webhooks", 1_000);
      await surroundings.advance(1_001);
      const second = await checkpoints.acquire("webhooks", 1_000);
      if (first === null || second === null) throw new Error("Expected two leases, got null");
      await checkpoints.save(second, { epoch: "abc", offset: 3 });
      expect(
        await codeOf(deliveries.put([delivery("e1", "ep")], { lease: first, position: { epoch: "abc", offset: 9 } })),
      ).toBe("lease_lost");
      expect(await checkpoints.load("webhooks")).toEqual({ epoch: "abc", offset: 3 });
    });

    it("makes what is above the bound of an endpoint dead, and leaves the others alone", async () => {
      const { deliveries } = await open(5);
      expect(deliveries.maxPerEndpoint).toBe(5);
      const many = Array.from({ length: 8 }, (_, index) => delivery(`e${index}`, "full"));
      expect(await deliveries.put([...many, delivery("e0", "other")])).toEqual({ stored: 9, overflowed: 3 });
      expect(await deliveries.backlog("full")).toMatchObject({ pending: 5, dead: 3 });
      expect(await deliveries.get("full", "e7")).toMatchObject({ state: { kind: "dead", reason: "overflow" } });
      expect(await deliveries.get("other", "e0")).toMatchObject({ state: { kind: "pending" } });
    });
  });
}
