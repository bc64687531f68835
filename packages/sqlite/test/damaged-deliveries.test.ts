import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Claim, Delivery, DeliveryStore } from "@starcast/core";
import type { SqliteStore } from "../src/index.ts";
import { houseOfFiles, outcomeOf, type House } from "./house.ts";

const house = houseOfFiles();
const endpointId = "partner-endpoint";
const orderKey = "model/of-the-order";

async function fill({ deliveries }: SqliteStore): Promise<void> {
  const event = { id: "e-1", type: "model.added", subject: undefined, timestamp: "t", json: '{"id":1}' };
  await deliveries.put([{ endpointId, event, dueAt: 0, orderKey }]);
}

async function given({ deliveries }: SqliteStore): Promise<readonly Delivery[]> {
  const claims = await deliveries.claimDue({ now: 1, limit: 10, perEndpoint: () => 10, leaseMs: 1_000 });
  const { deliveries: listed } = await deliveries.list({}, { limit: 10 });
  return [...claims.map(({ delivery }) => delivery), ...listed];
}

describe("a delivery in a damaged file", () => {
  it.each([
    ["endpoint_id", "'another-endpoint'"],
    ["order_key", "'another-order'"],
    ["order_key", "NULL"],
    ["event_id", "(SELECT max(id) FROM delivery_events)"],
    ["created_at", "created_at + 1"],
  ])("is refused when its %s reads %s", async (column, value) => {
    const { open, edit } = house();
    const store = await open();
    await fill(store);
    await store.deliveries.put([
      {
        endpointId: "other",
        event: { id: "e-2", type: "model.added", subject: undefined, timestamp: "t", json: "2" },
        dueAt: 5,
        orderKey: undefined,
      },
    ]);
    await store.close();
    await edit((driver) =>
      driver.exec(`UPDATE deliveries SET ${column} = ${value} WHERE endpoint_id = '${endpointId}'`),
    );
    expect(await outcomeOf(given(await open()))).toBe("store_corrupt");
  });

  it.each([endpointId, orderKey])(
    "goes nowhere else, whichever bit of %s is flipped, wherever it stands",
    async (text) => {
      const { open, path } = house();
      const first = await open();
      await fill(first);
      await first.close();
      const whole = readFileSync(path);
      const outcomes = { refused: 0, right: 0 };
      for (let at = whole.indexOf(text); at >= 0; at = whole.indexOf(text, at + 1)) {
        for (let bit = 0; bit < 8; bit += 1) {
          const bytes = Buffer.from(whole);
          const place = at + ((bit * 5) % text.length);
          bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
          writeFileSync(path, bytes);
          const store = await open();
          const deliveries = await outcomeOf(given(store));
          await store.close();
          if (typeof deliveries === "string") expect(deliveries).toBe("store_corrupt");
          else for (const delivery of deliveries) expect(delivery).toMatchObject({ endpointId, orderKey });
          outcomes[typeof deliveries === "string" ? "refused" : "right"] += 1;
        }
      }
      // In the row it is refused; in an index it is not found, or found in a row that says what is right.
      expect(outcomes.refused).toBeGreaterThanOrEqual(8);
      expect(outcomes.right).toBeGreaterThan(0);
    },
  );
});

describe("a delivery that cannot be read among others that are due", () => {
  const events = ["e-1", "e-2", "e-3"].map((id) => ({
    id,
    type: "model.added",
    subject: undefined,
    timestamp: "t",
    json: JSON.stringify(id),
  }));

  it.each([
    ["is another endpoint's", "UPDATE deliveries SET crc = crc + 1 WHERE sequence = 1"],
    ["has no event", "DELETE FROM delivery_events WHERE id = 'e-1'"],
    ["has no attempts that can be parsed", "UPDATE deliveries SET attempts = '[{' WHERE sequence = 1"],
    ["has an unknown state", "UPDATE deliveries SET state = 'pendinh' WHERE sequence = 1"],
  ])("is set aside and told once when it %s, and the others go on", async (_, damage) => {
    const { open, edit } = house();
    const first = await open();
    await first.deliveries.put([
      ...events.map((event) => ({ endpointId: "ep", event, dueAt: 0, orderKey: undefined })),
      ...events.slice(1).map((event) => ({ endpointId: "other", event, dueAt: 0, orderKey: undefined })),
    ]);
    await first.close();
    await edit((driver) => driver.exec(damage));
    for (const life of [1, 2]) {
      const { deliveries, close } = await opened(open);
      const told: unknown[] = [];
      const claim = (now: number, isTold: boolean): Promise<readonly Claim[]> =>
        deliveries.claimDue({
          now,
          limit: 10,
          perEndpoint: () => 10,
          leaseMs: 1_000,
          ...(isTold && { onDamaged: (id: string, error: unknown) => told.push([id, error]) }),
        });
      // Whoever does not want to be told is refused, and nothing is lost.
      expect(await outcomeOf(claim(1, false))).toBe("store_corrupt");
      const claims = await claim(2_000, true);
      expect(claims.map(({ delivery }) => `${delivery.endpointId} ${delivery.event.id}`).toSorted(), `${life}`).toEqual(
        ["ep e-2", "ep e-3", "other e-2", "other e-3"],
      );
      expect(told).toMatchObject([["ep", { code: "store_corrupt" }]]);
      // Nobody is woken for it before the others' leases end.
      expect(await deliveries.nextDueAt(() => true)).toBe(3_000);
      expect(await claim(2_500, true)).toEqual([]);
      expect(await claim(3_000, true)).toHaveLength(4);
      expect(told).toHaveLength(1);
      await close();
    }
  });

  it("lets nothing of its order key go before it", async () => {
    const { open, edit } = house();
    const first = await open();
    const keys = ["a", "b", "a"];
    await first.deliveries.put(
      events.map((event, index) => ({ endpointId: "ep", event, dueAt: 0, orderKey: keys[index] })),
    );
    await first.close();
    await edit((driver) => driver.exec("UPDATE deliveries SET attempts = '[{' WHERE sequence = 1"));
    const { deliveries } = await open();
    const request = { limit: 10, perEndpoint: () => 10, leaseMs: 1_000, onDamaged: () => undefined };
    for (const now of [1, 2_000]) {
      const claims = await deliveries.claimDue({ ...request, now });
      expect(claims.map(({ delivery }) => delivery.event.id)).toEqual(["e-2"]);
    }
  });

  it("and an endpoint whose rows cannot be found delays no other", async () => {
    const { open, edit, path } = house();
    const first = await open();
    const ids = Array.from({ length: 40 }, (_, index) => `ep-${String(index).padStart(3, "0")}`);
    await first.deliveries.put(
      ids.flatMap((endpointId) =>
        Array.from({ length: 50 }, (_, index) => ({
          endpointId,
          event: { id: `x-${index}`, type: "a.b", subject: undefined, timestamp: "t", json: "1" },
          dueAt: 0,
          orderKey: undefined,
        })),
      ),
    );
    await first.close();
    // A leaf of the index of what is due has a few endpoints.
    let leaf = 0;
    await edit((driver) => {
      const pages = driver
        .prepare("SELECT pageno FROM dbstat WHERE name = 'deliveries_due' AND pagetype = 'leaf'")
        .all();
      leaf = (Number(pages[Math.floor(pages.length / 2)]?.["pageno"]) - 1) * 4_096;
    });
    const bytes = readFileSync(path);
    bytes.fill(0xff, leaf, leaf + 16);
    writeFileSync(path, bytes);
    const { deliveries } = await open();
    const told = new Set<string>();
    const claims = await deliveries.claimDue({
      now: 1,
      limit: 10_000,
      perEndpoint: () => 50,
      leaseMs: 1_000,
      onDamaged: (id, error) => {
        expect(error).toMatchObject({ code: "store_corrupt" });
        told.add(id);
      },
    });
    expect(told.size).toBeGreaterThan(0);
    expect(told.size).toBeLessThan(ids.length);
    const served = new Set(claims.map(({ delivery }) => delivery.endpointId));
    for (const id of ids) expect(served.has(id) || told.has(id), id).toBe(true);
    expect(await deliveries.nextDueAt(() => true)).toBe(1_001);
  });
});

/** With `close` unbound from its store. */
async function opened(
  open: House["open"],
): Promise<{ readonly deliveries: DeliveryStore; readonly close: () => Promise<void> }> {
  const store = await open();
  return { deliveries: store.deliveries, close: () => store.close() };
}
