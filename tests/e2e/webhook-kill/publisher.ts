// A service that is killed at any moment: publishes as fast as its store keeps, tells what was acknowledged, delivers.
import process from "node:process";
import { Broker } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { WebhookDispatcher } from "@starcast/webhook";

const [path = "", origin = "", run = "", events = "0"] = process.argv.slice(2);
const broker = new Broker({ store: await SqliteStore.open(path), leaseMs: 1_000, observe: [] });
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
