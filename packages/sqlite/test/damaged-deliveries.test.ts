import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Delivery } from "@starcast/core";
import type { SqliteStore } from "../src/index.ts";
import { houseOfFiles, outcomeOf } from "./house.ts";

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
