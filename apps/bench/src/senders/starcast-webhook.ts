// The whole way: publish, store, claim, sign, send, keep the outcome. With a path, in a file, with group commit.
import { Broker, MemoryStore } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { WebhookDispatcher } from "@starcast/webhook";
import { connections, data, origin, serveSender } from "./sender.ts";

/** Publications on their way at once: more than one commit takes, less than the broker refuses. */
const publishedAtOnce = 5_000;

const [, , , path] = process.argv;
const store = path === undefined ? new MemoryStore() : await SqliteStore.open(path, { commitMs: 10 });
let delivered = 0;
let wanted = Infinity;
let onDelivered: () => void = () => undefined;
const broker = new Broker({
  store,
  observe: [
    (moment) => {
      if (moment.kind !== "webhookAttempted") return;
      if (moment.category !== "succeeded") throw new Error(`Expected a success, got ${moment.category}`);
      delivered += 1;
      if (delivered === wanted) onDelivered();
    },
  ],
});
const webhooks = new WebhookDispatcher(broker, { allow: [origin] });
await webhooks.endpoints.put({ id: "sink", url: `${origin}/hook`, concurrency: connections });

serveSender(async (count) => {
  wanted = delivered + count;
  const all = new Promise<void>((resolve) => (onDelivered = resolve));
  for (let published = 0; published < count; published += publishedAtOnce) {
    const length = Math.min(publishedAtOnce, count - published);
    await Promise.all(Array.from({ length }, () => broker.publish("model.updated", data)));
  }
  await all;
});
