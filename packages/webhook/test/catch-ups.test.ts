import { Broker, MemoryStore, type EventLog } from "@starcast/core";
import { expect, it } from "vitest";
import { CatchUps, maxCatchUps } from "../src/catch-ups.ts";
import { EndpointRecords } from "../src/endpoint-records.ts";
import type { EndpointRecord } from "../src/endpoint.ts";
import { Intake } from "../src/intake.ts";
import { resolveEndpointOptions } from "../src/endpoint-options.ts";
import { resolveWebhookDispatcherOptions } from "../src/options.ts";
import { turns } from "./fake-time.ts";
import { dataOf, house, listening } from "./house.ts";

const { keys: _, ...options } = resolveEndpointOptions({ id: "partner", url: "https://hooks.partner.com/" });
const endpoint: EndpointRecord = {
  ...options,
  dispatcher: "webhooks",
  keys: [{ key: `whsec_${"A".repeat(32)}` }],
  state: { kind: "active" },
  createdAt: 0,
  startsAfter: { epoch: "e", offset: 0 },
  failingSince: null,
  catchUp: null,
};

// Another process takes the log in: what is turned off and on again there is not held up by what runs here.
it("an endpoint that is turned off and on again while it is handed over gets what it missed in between, too", async () => {
  const store = new MemoryStore();
  await using broker = new Broker({ store });
  const records = new EndpointRecords(broker, resolveWebhookDispatcherOptions({}), () => undefined);
  const startsAfter = broker.position;
  await records.change("partner", () => ({ ...endpoint, startsAfter, catchUp: { after: startsAfter } }));
  const wanted = [await broker.publish("a.b", 1)];

  const log: EventLog = store.log;
  const refresh = log.refresh.bind(log);
  let looks = 0;
  Object.assign(log, {
    refresh: async () => {
      const found = await refresh();
      looks += 1;
      if (looks !== 2) return found;
      const state = { kind: "disabled", at: 0, reason: "gone", position: broker.position } as const;
      await records.update("partner", (known) => ({ ...known, state }));
      wanted.push(await broker.publish("a.b", 2));
      await records.update("partner", (known) => ({ ...known, state: { kind: "active" } }));
      return found;
    },
  });
  const catchUps = new CatchUps({
    broker,
    records,
    signal: new AbortController().signal,
    onStored: () => undefined,
    between: (run) => run(),
  });
  const live = records.find("partner");
  if (live === undefined) throw new Error("Expected the endpoint that was put, got none");
  catchUps.begin(live);
  await catchUps.idle();
  const { deliveries } = await store.deliveries.list({}, { limit: 10 });
  expect(deliveries.map(({ event }) => event.id)).toEqual(wanted.map(({ id }) => id).reverse());
  expect(records.find("partner")?.record.catchUp).toBeNull();
});

it("endpoints that are turned on again together catch up a few at a time, and all get what they missed", async () => {
  const store = new MemoryStore();
  let isGone = true;
  const to = await listening((_, response) => response.writeHead(isGone ? 410 : 204).end());
  const { broker, webhooks, seen } = house({ allow: [to.origin], store });
  const ids = Array.from({ length: 5 * maxCatchUps }, (_, index) => `e${index}`);
  for (const id of ids) await webhooks.endpoints.put({ id, url: `${to.origin}/${id}` });
  await broker.publish("a.b", "gone");
  await seen("webhookEndpointDisabled", ids.length);
  isGone = false;
  await broker.publish("a.b", "missed");
  const log: EventLog = store.log;
  const read = log.read.bind(log);
  let now = 0;
  let most = 0;
  Object.assign(log, {
    read: async (...given: Parameters<EventLog["read"]>) => {
      now += 1;
      most = Math.max(most, now);
      await turns(3);
      now -= 1;
      return read(...given);
    },
  });
  for (const id of ids) await webhooks.endpoints.unpause(id);
  await to.count(2 * ids.length);
  expect(most).toBe(maxCatchUps);
  expect(
    to.received
      .slice(ids.length)
      .map((got) => `${got.path} ${String(dataOf(got))}`)
      .toSorted(),
  ).toEqual(ids.map((id) => `/${id} missed`).toSorted());
});

it("events are stored between any two endpoints that are handed over", async () => {
  const store = new MemoryStore();
  await using broker = new Broker({ store });
  const records = new EndpointRecords(broker, resolveWebhookDispatcherOptions({}), () => undefined);
  const intake = new Intake({ broker, endpoints: records, firstWaitMs: 0, onStored: () => undefined });
  broker.attach(intake, { name: "webhooks" });
  await records.change("partner", () => ({ ...endpoint, startsAfter: broker.position }));
  const pending = async (): Promise<number> => (await store.deliveries.backlog("partner")).pending;
  await broker.publish("a.b", 0);
  while ((await pending()) === 0) await turns();
  const found: number[] = [];
  const handOver = async (): Promise<void> => {
    // Waits until the event that is published meanwhile has been taken, so that it is to be stored next.
    await broker.publish("a.b", 1);
    await turns(4);
    found.push(await pending());
  };
  await Promise.all([intake.between(handOver), intake.between(handOver), intake.between(handOver)]);
  expect(found).toEqual([1, 2, 3]);
});
