import { describe, expect, it } from "vitest";
import type { CheckpointStore, Lease, Surroundings } from "@starcast/core";
import { codeOf } from "./engine-rig.ts";
import { fakeSurroundings } from "./fake-surroundings.ts";

/** An engine's checkpoints, and what they can do. */
export interface CheckpointsContract {
  /** Empty checkpoints; leases end by the given clock. */
  open(request: { readonly surroundings: Surroundings }): Promise<CheckpointStore>;
  /** Closes them and opens the same data again. Required when durable. */
  reopen?: ((checkpoints: CheckpointStore) => Promise<CheckpointStore>) | undefined;
  /** Positions survive the end of the process; leases too, where another process may hold them. */
  readonly durable: boolean;
  /** One process at a time has the store: whoever opens it knows that nobody holds a lease of before. */
  readonly exclusive?: boolean | undefined;
}

const at = (offset: number): { readonly epoch: string; readonly offset: number } => ({ epoch: "abc", offset });

/** The promises of the `CheckpointStore` port, as tests: every engine runs them. */
export function describeCheckpoints(name: string, contract: CheckpointsContract): void {
  describe(`the checkpoints of ${name}`, () => {
    const open = async () => {
      const surroundings = fakeSurroundings();
      return { surroundings, checkpoints: await contract.open({ surroundings }) };
    };

    it("know nothing of a name that was never saved", async () => {
      const { checkpoints } = await open();
      expect(await checkpoints.load("mqtt")).toBeNull();
      const lease = await acquired(checkpoints);
      expect(lease).toMatchObject({ name: "mqtt", position: null });
      expect(await checkpoints.load("mqtt")).toBeNull();
    });

    it("keep what is saved, per name", async () => {
      const { checkpoints } = await open();
      const mqtt = await acquired(checkpoints, "mqtt");
      const webhooks = await acquired(checkpoints, "webhooks");
      await checkpoints.save(mqtt, at(5));
      await checkpoints.save(webhooks, at(7));
      await checkpoints.save(mqtt, at(6));
      expect(await checkpoints.load("mqtt")).toEqual(at(6));
      expect(await checkpoints.load("webhooks")).toEqual(at(7));
      expect((await checkpoints.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
        { name: "mqtt", position: at(6) },
        { name: "webhooks", position: at(7) },
      ]);
    });

    it("keep a position of another epoch as it is", async () => {
      const { checkpoints } = await open();
      const lease = await acquired(checkpoints);
      await checkpoints.save(lease, at(500));
      await checkpoints.save(lease, { epoch: "other", offset: 2 });
      expect(await checkpoints.load("mqtt")).toEqual({ epoch: "other", offset: 2 });
    });

    it("give a name to one holder at a time", async () => {
      const { checkpoints, surroundings } = await open();
      await acquired(checkpoints);
      expect(await checkpoints.acquire("mqtt", 1_000)).toBeNull();
      await surroundings.advance(999);
      expect(await checkpoints.acquire("mqtt", 1_000)).toBeNull();
      await surroundings.advance(2);
      expect(await checkpoints.acquire("mqtt", 1_000)).not.toBeNull();
    });

    it("give to one of many who ask at once", async () => {
      const { checkpoints } = await open();
      const leases = await Promise.all(Array.from({ length: 10 }, () => checkpoints.acquire("mqtt", 1_000)));
      expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
    });

    it("tell the next holder where the last one was, with a greater revision", async () => {
      const { checkpoints, surroundings } = await open();
      const first = await acquired(checkpoints);
      await checkpoints.save(first, at(3));
      await surroundings.advance(1_001);
      const second = await acquired(checkpoints);
      expect(second.position).toEqual(at(3));
      expect(second.revision).toBeGreaterThan(first.revision);
    });

    it("refuse a late save of a holder that was taken over", async () => {
      const { checkpoints, surroundings } = await open();
      const first = await acquired(checkpoints);
      await checkpoints.save(first, at(3));
      await surroundings.advance(1_001);
      const second = await acquired(checkpoints);
      expect(await codeOf(checkpoints.save(first, at(4)))).toBe("lease_lost");
      expect(await checkpoints.load("mqtt")).toEqual(at(3));
      await checkpoints.save(second, at(5));
      expect(await codeOf(checkpoints.save(first, at(9)))).toBe("lease_lost");
      expect(await checkpoints.load("mqtt")).toEqual(at(5));
    });

    it("extend a lease from now on, but not one that was taken over", async () => {
      const { checkpoints, surroundings } = await open();
      const first = await acquired(checkpoints);
      await surroundings.advance(900);
      await checkpoints.renew(first, 1_000);
      await surroundings.advance(900);
      expect(await checkpoints.acquire("mqtt", 1_000)).toBeNull();
      await surroundings.advance(101);
      const second = await acquired(checkpoints);
      expect(await codeOf(checkpoints.renew(first, 1_000))).toBe("lease_lost");
      await checkpoints.renew(second, 1_000);
    });

    it("let a holder go on whose lease ended unnoticed by others", async () => {
      const { checkpoints, surroundings } = await open();
      const lease = await acquired(checkpoints);
      await surroundings.advance(5_000);
      await checkpoints.save(lease, at(1));
      await checkpoints.renew(lease, 1_000);
      expect(await checkpoints.acquire("mqtt", 1_000)).toBeNull();
    });

    it("give a released name away at once, with its position", async () => {
      const { checkpoints } = await open();
      const first = await acquired(checkpoints);
      await checkpoints.save(first, at(8));
      await checkpoints.release(first);
      const second = await acquired(checkpoints);
      expect(second.position).toEqual(at(8));
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await codeOf(checkpoints.save(first, at(9)))).toBe("lease_lost");
    });

    it("are not touched by the release of a lease that was lost", async () => {
      const { checkpoints, surroundings } = await open();
      const first = await acquired(checkpoints);
      await surroundings.advance(1_001);
      await acquired(checkpoints);
      await checkpoints.release(first);
      await checkpoints.release(first);
      expect(await checkpoints.acquire("mqtt", 1_000)).toBeNull();
    });

    it("forget a removed name, but not how far its revisions were", async () => {
      const { checkpoints } = await open();
      const first = await acquired(checkpoints);
      await checkpoints.save(first, at(3));
      await checkpoints.remove("mqtt");
      await checkpoints.remove("mqtt");
      expect(await checkpoints.load("mqtt")).toBeNull();
      expect(await checkpoints.list()).toEqual([]);
      const second = await acquired(checkpoints);
      expect(second.position).toBeNull();
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await codeOf(checkpoints.save(first, at(4)))).toBe("lease_lost");
    });

    it("take any name of up to 256 characters", async () => {
      const { checkpoints } = await open();
      for (const odd of ["a b", "ключ/😀", "'; --", "x".repeat(256), "a.b*c>d"]) {
        await checkpoints.save(await acquired(checkpoints, odd), at(1));
        expect(await checkpoints.load(odd)).toEqual(at(1));
      }
    });

    const { reopen } = contract;
    if (contract.durable && contract.exclusive === true)
      it("are the same when opened again, and the leases of before are over", async () => {
        const { checkpoints } = await open();
        if (reopen === undefined) throw new Error("Expected `reopen` in the contract of a durable engine, got none");
        const lease = await acquired(checkpoints);
        await checkpoints.save(lease, at(42));
        const again = await reopen(checkpoints);
        expect(await again.load("mqtt")).toEqual(at(42));
        await expect(again.save(lease, at(43))).rejects.toMatchObject({ code: "lease_lost" });
        const next = await acquired(again);
        expect(next).toMatchObject({ position: at(42) });
        expect(next.revision).toBeGreaterThan(lease.revision);
      });
    else if (contract.durable)
      it("are the same when opened again, leases too", async () => {
        const { checkpoints } = await open();
        if (reopen === undefined) throw new Error("Expected `reopen` in the contract of a durable engine, got none");
        const lease = await acquired(checkpoints);
        await checkpoints.save(lease, at(42));
        const again = await reopen(checkpoints);
        expect(await again.load("mqtt")).toEqual(at(42));
        expect(await again.acquire("mqtt", 1_000)).toBeNull();
        await again.save(lease, at(43));
        await again.release(lease);
        expect((await acquired(again)).revision).toBeGreaterThan(lease.revision);
      });
  });
}

async function acquired(checkpoints: CheckpointStore, name = "mqtt"): Promise<Lease> {
  const lease = await checkpoints.acquire(name, 1_000);
  if (lease === null) throw new Error(`Expected a lease of ${name}, got null: somebody else holds it`);
  return lease;
}
