// A service that is killed at any moment: publishes as fast as its store keeps, tells what was acknowledged, delivers.
import process from "node:process";
import { Broker, formatPosition } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { WebhookDispatcher } from "@starcast/webhook";

const [path = "", origin = "", run = "", events = "0"] = process.argv.slice(2);
const store = await SqliteStore.open(path);
// What the kill left: the place, and the newest of the deliveries.
const place = await store.checkpoints.load("webhooks");
const [newest] = (await store.deliveries.list({}, { limit: 1 })).deliveries;
process.send?.({ left: [place === null ? null : formatPosition(place), newest?.event.id ?? null] });
const broker = new Broker({ store, leaseMs: 1_000, observe: [] });
const webhooks = new WebhookDispatcher(broker, {
  allow: [origin],
  attempt: { deadlineMs: 500, connectTimeoutMs: 500 },
  scheduleMs: [0, ...Array.from({ length: 50 }, () => 100)],
});
await webhooks.endpoints.put({ id: "partner", url: origin });
process.send?.({ ready: true });
for (let number = 0; number < Number(events); number += 1) {
  await broker.publish("number.counted", `${run}-${number}`);
  process.send?.({ acknowledged: `${run}-${number}` });
  if (number % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
}
// Lives, and delivers, until it is killed.
setInterval(() => undefined, 60_000);
