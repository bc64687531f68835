import { Broker, MemoryStore, type Moment } from "@starcast/core";
import { fakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { WebhookDispatcher } from "../src/index.ts";
import { listening } from "./house.ts";

describe("a dispatcher whose place another one has taken over", () => {
  it("stores nothing more, and goes on from the place once it is its own again", async () => {
    const to = await listening();
    // The store's clock runs ahead: there the lease has ended while its holder knows nothing of it.
    const surroundings = fakeSurroundings();
    const store = new MemoryStore({ surroundings });
    const waiting = new Set<(moment: Moment) => void>();
    const observe = (moment: Moment): void => waiting.forEach((look) => look(moment));
    const seen = (kind: Moment["kind"]): Promise<void> =>
      new Promise((resolve) => waiting.add((moment) => void (moment.kind === kind && resolve())));
    await using broker = new Broker({ store, leaseMs: 1_000, observe: [observe] });
    const webhooks = new WebhookDispatcher(broker, { allow: [to.origin] });
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    const attempted = seen("webhookAttempted");
    const first = await broker.publish("a.b", 1);
    await attempted;

    await surroundings.advance(10_000);
    const lease = await store.checkpoints.acquire("webhooks", 10_000);
    expect(lease?.position).toMatchObject({ offset: 1 });
    const lost = seen("leaseLost");
    const second = await broker.publish("a.b", 2);
    await lost;
    expect((await store.deliveries.list({}, { limit: 10 })).deliveries.map(({ event }) => event.id)).toEqual([
      first.id,
    ]);
    expect(await store.checkpoints.load("webhooks")).toMatchObject({ offset: 1 });

    if (lease !== null) await store.checkpoints.release(lease);
    await to.count(2);
    expect(to.received.map(({ headers }) => headers["webhook-id"])).toEqual([first.id, second.id]);
  });
});
