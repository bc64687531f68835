import { MemoryStore, type ClaimRequest, type DeliveryStore } from "@starcast/core";
import { expect, it } from "vitest";
import { house, listening } from "./house.ts";

it("a thousand endpoints with work that must wait are not looked at for every attempt of another", async () => {
  const store = new MemoryStore();
  const deliveries: DeliveryStore = store.deliveries;
  const claimDue = deliveries.claimDue.bind(deliveries);
  let asked = 0;
  Object.assign(deliveries, {
    claimDue: (request: ClaimRequest) =>
      claimDue({
        ...request,
        perEndpoint: (id) => {
          asked += 1;
          return request.perEndpoint(id);
        },
      }),
  });
  const to = await listening();
  const { broker, webhooks } = house({ allow: [to.origin], store });
  const resting = Array.from({ length: 1_000 }, (_, index) => `resting-${index}`);
  await Promise.all(
    resting.map(async (id) => {
      await webhooks.endpoints.put({ id, url: to.origin, types: ["for.all"] });
      await webhooks.endpoints.pause(id);
    }),
  );
  await webhooks.endpoints.put({ id: "busy", url: to.origin });
  await broker.publish("for.all", {});
  await to.count(1);
  expect(await webhooks.deliveries.backlog("resting-0")).toMatchObject({ pending: 1 });
  const startedAt = performance.now();
  asked = 0;
  for (let sent = 1; sent <= 100; sent += 1) {
    await broker.publish("for.one", sent);
    await to.count(1 + sent);
  }
  // All are looked at ten times a second, whatever happens.
  const looks = Math.ceil((performance.now() - startedAt) / 100) + 1;
  expect(asked).toBeLessThan(looks * (resting.length + 1) + 100 * 10);
  await webhooks.endpoints.unpause("resting-7");
  await to.count(102);
});
