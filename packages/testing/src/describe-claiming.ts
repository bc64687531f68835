import { describe, expect, it } from "vitest";
import type { Claim } from "@starcast/core";
import { attempt, delivery, leaseMs, type DeliveriesRig, type OpenDeliveries } from "./deliveries-rig.ts";
import { codeOf } from "./engine-rig.ts";
import { seededRandom } from "./seeded-random.ts";

const ids = (claims: readonly Claim[]): readonly string[] =>
  claims.map(({ delivery: { endpointId, event } }) => `${endpointId}/${event.id}`);
const sorted = (claims: readonly Claim[]): readonly string[] => ids(claims).toSorted();

/** The promises of `claimDue` and of what reports on a claim. */
export function describeClaiming(open: OpenDeliveries): void {
  describe("claimDue", () => {
    it("gives what is due, oldest first, and nothing that is not", async () => {
      const { deliveries, claim, now, surroundings } = await open();
      await deliveries.put([
        delivery("late", "ep", { dueAt: now() + 5_000 }),
        delivery("first", "ep", { dueAt: 1 }),
        delivery("second", "ep", { dueAt: 2 }),
      ]);
      expect(ids(await claim({ perEndpoint: () => 10 }))).toEqual(["ep/first", "ep/second"]);
      await surroundings.advance(5_000);
      expect(ids(await claim({ perEndpoint: () => 10 }))).toEqual(["ep/late"]);
    });

    it("gives each to one caller at a time, until its lease ends", async () => {
      const { deliveries, claim, surroundings } = await open();
      await deliveries.put(Array.from({ length: 20 }, (_, index) => delivery(`e${index}`, `ep${index % 4}`)));
      const calls = await Promise.all([1, 2, 3].map(() => claim({ perEndpoint: () => 10 })));
      expect(new Set(calls.flatMap(ids)).size).toBe(20);
      expect(calls.flatMap(ids)).toHaveLength(20);
      await surroundings.advance(leaseMs - 1);
      expect(await claim()).toEqual([]);
      await surroundings.advance(2);
      expect(await claim({ perEndpoint: () => 10 })).toHaveLength(20);
    });

    it("keeps to its limit and to that of each endpoint", async () => {
      const { deliveries, claim } = await open();
      await deliveries.put(
        ["a", "b", "c"].flatMap((endpoint) => [1, 2, 3].map((index) => delivery(`e${index}`, endpoint))),
      );
      const claims = await claim({ perEndpoint: (endpoint) => ({ a: 2, b: 0 })[endpoint] ?? 1 });
      expect(sorted(claims)).toEqual(["a/e1", "a/e2", "c/e1"]);
      expect(await claim({ limit: 1 })).toHaveLength(1);
    });

    it("lets no backlog delay another endpoint", async () => {
      const { deliveries, claim, now } = await open();
      await deliveries.put(Array.from({ length: 200 }, (_, index) => delivery(`e${index}`, "busy")));
      await deliveries.put([delivery("one", "quiet", { dueAt: now() })]);
      const seen = new Set<string>();
      for (let call = 0; call < 3; call += 1)
        for (const id of ids(await claim({ limit: 5, perEndpoint: () => 5 }))) seen.add(id);
      expect(seen).toContain("quiet/one");
    });

    it("gives every endpoint its turn, however small the limit", async () => {
      const { deliveries, claim } = await open();
      const endpoints = Array.from({ length: 7 }, (_, index) => `ep${index}`);
      await deliveries.put(endpoints.flatMap((endpoint) => [1, 2, 3].map((index) => delivery(`e${index}`, endpoint))));
      for (const round of [1, 2, 3]) {
        const served: string[] = [];
        while (served.length < endpoints.length)
          for (const { endpointId } of (await claim({ limit: 1 })).map((each) => each.delivery))
            served.push(endpointId);
        expect(served.toSorted(), `round ${round}`).toEqual(endpoints);
      }
    });

    it("asks no more endpoints than its limit takes, and comes to those that are passed over last", async () => {
      const { deliveries, claim } = await open();
      await deliveries.put(Array.from({ length: 300 }, (_, index) => delivery("e1", `ep${index}`)));
      const asked: string[] = [];
      const perEndpoint = (endpoint: string): number => {
        asked.push(endpoint);
        return Number(endpoint.slice(2)) < 100 ? 0 : 1;
      };
      // The first may pass over a hundred that take nothing, the next needs not.
      await claim({ limit: 2, perEndpoint });
      const before = asked.length;
      expect(await claim({ limit: 2, perEndpoint })).toHaveLength(2);
      expect(asked.length - before).toBeLessThan(100);
      expect(before).toBeLessThan(110);
    });

    it("gives, of the named endpoints, what is due, and leaves the others alone", async () => {
      const { deliveries, claim } = await open();
      await deliveries.put(
        ["a", "b", "c"].flatMap((endpoint) => [1, 2].map((index) => delivery(`e${index}`, endpoint))),
      );
      const asked = new Set<string>();
      const perEndpoint = (endpoint: string): number => {
        asked.add(endpoint);
        return 5;
      };
      const claims = await claim({ endpointIds: ["c", "nobody", "a"], perEndpoint });
      expect(sorted(claims)).toEqual(["a/e1", "a/e2", "c/e1", "c/e2"]);
      expect([...asked].toSorted()).not.toContain("b");
      expect(await claim({ endpointIds: [] })).toEqual([]);
      expect(sorted(await claim({ perEndpoint }))).toEqual(["b/e1", "b/e2"]);
    });

    it("gives, of one order key, only the oldest unfinished one", async () => {
      const { deliveries, claim, now } = await open();
      await deliveries.put([
        delivery("k1", "ep", { orderKey: "k" }),
        delivery("k2", "ep", { orderKey: "k" }),
        delivery("m1", "ep", { orderKey: "m" }),
        delivery("free", "ep"),
        delivery("k1", "other", { orderKey: "k" }),
      ]);
      const many = { perEndpoint: () => 10 };
      const claims = await claim(many);
      expect(sorted(claims)).toEqual(["ep/free", "ep/k1", "ep/m1", "other/k1"]);
      const first = of(claims, "ep/k1");
      await deliveries.retryAt(first, attempt(now(), { category: "http_500", status: 500 }), now() + 60_000);
      expect(await claim(many)).toEqual([]);
      await deliveries.redeliver({ endpointId: "ep" }, now());
      expect(await claim(many)).toEqual([]);
    });

    it("goes on to the next of an order key when the oldest is finished, in whatever way", async () => {
      const { deliveries, claim, now } = await open();
      await deliveries.put(["k1", "k2", "k3"].map((id) => delivery(id, "ep", { orderKey: "k" })));
      const first = of(await claim(), "ep/k1");
      await deliveries.bury(first, attempt(now()), "exhausted");
      const second = of(await claim(), "ep/k2");
      await deliveries.succeed(second, attempt(now()));
      expect(ids(await claim())).toEqual(["ep/k3"]);
    });
  });

  describe("a claim", () => {
    it("ends a delivery by success", async () => {
      const rig = await open();
      const claim = await claimed(rig);
      await rig.deliveries.succeed(claim, attempt(rig.now(), { answer: "ok" }));
      expect(await rig.deliveries.get("ep", "e1")).toMatchObject({
        state: { kind: "succeeded", at: rig.now() },
        attemptCount: 1,
        attempts: [{ answer: "ok" }],
      });
      await rig.surroundings.advance(leaseMs * 2);
      expect(await rig.claim()).toEqual([]);
    });

    it("puts a delivery off, counting the attempt", async () => {
      const rig = await open();
      await rig.deliveries.retryAt(
        await claimed(rig),
        attempt(rig.now(), { category: "timed_out", status: null }),
        rig.now() + 500,
      );
      expect(await rig.deliveries.get("ep", "e1")).toMatchObject({
        state: { kind: "pending", dueAt: rig.now() + 500 },
        attemptCount: 1,
      });
      expect(await rig.claim()).toEqual([]);
      await rig.surroundings.advance(500);
      const [again] = await rig.claim();
      expect(again?.delivery).toMatchObject({ attemptCount: 1, attempts: [{ category: "timed_out" }] });
    });

    it("buries a delivery with the reason", async () => {
      const rig = await open();
      await rig.deliveries.bury(await claimed(rig), attempt(rig.now()), "endpoint_gone");
      expect(await rig.deliveries.get("ep", "e1")).toMatchObject({
        state: { kind: "dead", reason: "endpoint_gone" },
        attemptCount: 1,
      });
    });

    it("can be given back untried", async () => {
      const rig = await open();
      await rig.deliveries.release(await claimed(rig), rig.now() + 100);
      expect(await rig.deliveries.get("ep", "e1")).toMatchObject({
        state: { kind: "pending", dueAt: rig.now() + 100 },
        attemptCount: 0,
        attempts: [],
      });
    });

    it("still counts when its lease ended and nobody claimed since", async () => {
      const rig = await open();
      const claim = await claimed(rig);
      await rig.surroundings.advance(leaseMs * 3);
      await rig.deliveries.succeed(claim, attempt(rig.now()));
      expect(await rig.deliveries.get("ep", "e1")).toMatchObject({ state: { kind: "succeeded" } });
    });

    it.each(["claimed again", "finished", "put off", "given back", "removed", "redelivered"] as const)(
      "is stale once the delivery was %s",
      async (what) => {
        const rig = await open();
        const { deliveries, now } = rig;
        const claim = await claimed(rig);
        if (what === "claimed again") {
          await rig.surroundings.advance(leaseMs + 1);
          expect(await rig.claim()).toHaveLength(1);
        } else if (what === "finished") await deliveries.succeed(claim, attempt(now()));
        else if (what === "put off") await deliveries.retryAt(claim, attempt(now()), now() + 1_000);
        else if (what === "given back") await deliveries.release(claim, now() + 1_000);
        else if (what === "removed") await deliveries.removeEndpoint("ep");
        else {
          await deliveries.bury(claim, attempt(now()), "aborted");
          expect(await deliveries.redeliver({ endpointId: "ep" }, now() + 1_000)).toBe(1);
        }
        const before = await deliveries.get("ep", "e1");
        expect(await codeOf(deliveries.succeed(claim, attempt(now())))).toBe("stale_claim");
        expect(await codeOf(deliveries.retryAt(claim, attempt(now()), 1))).toBe("stale_claim");
        expect(await codeOf(deliveries.bury(claim, attempt(now()), "exhausted"))).toBe("stale_claim");
        await deliveries.release(claim, 1);
        expect(await deliveries.get("ep", "e1")).toEqual(before);
      },
    );

    it("keeps a bounded number of attempts, and the count of all", async () => {
      const rig = await open();
      await rig.deliveries.put([delivery("e1", "ep")]);
      for (let tried = 0; tried < 40; tried += 1) {
        const [claim] = await rig.claim();
        if (claim === undefined) throw new Error("Expected a claim, got none");
        await rig.deliveries.retryAt(claim, attempt(tried, { status: tried }), 0);
      }
      const stored = await rig.deliveries.get("ep", "e1");
      expect(stored?.attemptCount).toBe(40);
      expect(stored?.attempts.length).toBeLessThanOrEqual(30);
      expect(stored?.attempts.at(-1)?.status).toBe(39);
      const kept = stored?.attempts.map(({ at }) => at) ?? [];
      expect(kept.toSorted((a, b) => a - b)).toEqual(kept);
    });
  });

  it("finish every delivery exactly once under random claims, leases and outcomes", async () => {
    const rig = await open();
    const random = seededRandom(7);
    const wanted = Array.from({ length: 60 }, (_, index) =>
      delivery(`e${index}`, `ep${index % 5}`, index % 3 === 0 ? { orderKey: `k${index % 2}` } : {}),
    );
    await rig.deliveries.put(wanted);
    const finished: string[] = [];
    const held: Claim[] = [];
    for (let step = 0; step < 2_000 && finished.length < wanted.length; step += 1) {
      held.push(...(await rig.claim({ limit: random.integer(1, 4), perEndpoint: () => random.integer(0, 2) })));
      const at = random.integer(0, Math.max(0, held.length - 1));
      // Who holds more than a few has lost the oldest: those claims end by their leases.
      held.splice(0, held.length - 6);
      const [claim] = held.splice(Math.min(at, held.length - 1), 1);
      if (claim !== undefined && random.chance(0.8)) {
        const isRetry = random.chance(0.4);
        const report = isRetry
          ? rig.deliveries.retryAt(claim, attempt(step), rig.now() + random.integer(0, 2_000))
          : rig.deliveries.succeed(claim, attempt(step));
        if ((await codeOf(report)) === null && !isRetry) finished.push(...ids([claim]));
      }
      await rig.surroundings.advance(random.integer(0, 3_000));
    }
    expect(finished.toSorted()).toEqual(wanted.map(({ endpointId, event }) => `${endpointId}/${event.id}`).toSorted());
  });
}

async function claimed(rig: DeliveriesRig): Promise<Claim> {
  await rig.deliveries.put([delivery("e1", "ep")]);
  return of(await rig.claim(), "ep/e1");
}

function of(claims: readonly Claim[], id: string): Claim {
  const claim = claims.find((each) => ids([each])[0] === id);
  if (claim === undefined) throw new Error(`Expected a claim of ${id}, got ${ids(claims).join(", ")}`);
  return claim;
}
