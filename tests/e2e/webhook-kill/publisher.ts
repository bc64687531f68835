// A service that is killed at any moment: publishes as fast as its store keeps, tells what was acknowledged, delivers, and
// changes its endpoints all the while.
import process from "node:process";
import { Broker, formatPosition } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { WebhookDispatcher } from "@starcast/webhook";

const [path = "", origin = "", run = "", events = "0"] = process.argv.slice(2);
const store = await SqliteStore.open(path);
// What the kill left: the place, and the newest delivery to who gets every event as the log is taken in. What another missed
// while it was turned off is stored beside that.
const place = await store.checkpoints.load("webhooks");
const [newest] = (await store.deliveries.list({ endpointId: "partner" }, { limit: 1 })).deliveries;
process.send?.({ left: [place === null ? null : formatPosition(place), newest?.event.id ?? null] });
const turnOn = (id: string): void => void endpoints.unpause(id);
const broker = new Broker({
  store,
  leaseMs: 1_000,
  observe: [(moment) => moment.kind === "webhookEndpointDisabled" && turnOn(moment.endpointId)],
});
const { endpoints } = new WebhookDispatcher(broker, {
  allow: [origin],
  attempt: { deadlineMs: 500, connectTimeoutMs: 500 },
  scheduleMs: [0, ...Array.from({ length: 50 }, () => 100)],
});
for (const id of ["partner", "paused", "gone"]) await endpoints.put({ id, url: `${origin}/${id}` });
// What an earlier life left paused, or turned off.
for (const { id, state } of await endpoints.list()) if (state.kind !== "active") await endpoints.unpause(id);
process.send?.({ ready: true });

const late: string[] = [];
async function putLate(id: string): Promise<void> {
  await endpoints.put({ id, url: `${origin}/${id}` });
  late.push(`/${id}`);
  process.send?.({ put: `/${id}` });
}

for (let number = 0; number < Number(events); number += 1) {
  const known = [...late];
  await broker.publish("number.counted", `${run}-${number}`);
  process.send?.({ acknowledged: { event: `${run}-${number}`, late: known } });
  if (number % 7 === 3) void endpoints.pause("paused");
  if (number % 7 === 5) void endpoints.unpause("paused");
  if (number % 30 === 10 && late.length < 5) void putLate(`late-${run}-${number}`);
  if (number % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
}
// Lives, and delivers, until it is killed.
setInterval(() => undefined, 60_000);
