import type { Socket } from "node:net";
import { MemoryStore, type DeliveryStore, type EventLog } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { maxUnstoredDrafts } from "../src/intake.ts";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, idsOf, listening, listeningRaw, play, settled } from "./house.ts";
import type { Receiver } from "./loopback.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** A door that everybody waits before until it is opened. */
function door(): { readonly open: () => void; readonly isOpen: Promise<void> } {
  let open: () => void = () => undefined;
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  return { open, isOpen };
}

/** A receiver that answers when it is told to. */
async function holding(): Promise<{ to: Receiver; answer: (status: number) => void }> {
  const held: ((status: number) => void)[] = [];
  const to = await listening((_, response) => void held.push((status) => response.writeHead(status).end()));
  return { to, answer: (status) => held.splice(0).forEach((answer) => answer(status)) };
}

/** A store that says that it has stored deliveries only once it may. */
function slowToSay(mayBeSaid: () => Promise<void>): MemoryStore {
  const store = new MemoryStore();
  const deliveries: DeliveryStore = store.deliveries;
  const put = deliveries.put.bind(deliveries);
  Object.assign(deliveries, {
    put: async (...given: Parameters<DeliveryStore["put"]>) => {
      const stored = await put(...given);
      await mayBeSaid();
      return stored;
    },
  });
  return store;
}

describe("an endpoint that is turned off while events still wait to be taken in", () => {
  it("gets them, too, when it is turned on again", async () => {
    const { open, isOpen } = door();
    let mayBeSaid = Promise.resolve();
    const { to, answer } = await holding();
    const at = house({ allow: [to.origin], store: slowToSay(() => mayBeSaid) });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin, types: ["a.b"] });
    for (const id of ["one", "two"]) {
      await webhooks.endpoints.put({ id, url: to.origin, types: ["c.d"] });
      await webhooks.endpoints.pause(id);
    }
    await broker.publish("a.b", "first");
    await to.count(1);
    mayBeSaid = isOpen;
    await Promise.all(Array.from({ length: maxUnstoredDrafts / 2 + 50 }, () => broker.publish("c.d", 0)));
    await broker.publish("a.b", "waits");
    answer(410);
    await at.seen("webhookEndpointDisabled");
    open();
    await broker.publish("a.b", "later");
    while ((await webhooks.deliveries.backlog("two")).pending < maxUnstoredDrafts / 2 + 50) await settled(at);
    await webhooks.endpoints.unpause("partner");
    for (const count of [2, 3]) {
      await to.count(count);
      answer(204);
    }
    expect(to.received.map(dataOf)).toEqual(["first", "waits", "later"]);
  });
});

describe("an endpoint that is turned off again while it gets what it missed", () => {
  it("gets what came meanwhile, too, when it is turned on at last, where others share the store", async () => {
    const store = new MemoryStore();
    Object.assign(store.records, { revision: () => Promise.resolve(1) });
    const log: EventLog = store.log;
    const refresh = log.refresh.bind(log);
    let isGone = true;
    const to = await listening((_, response) => response.writeHead(isGone ? 410 : 204).end());
    const at = house({ allow: [to.origin], store });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await broker.publish("a.b", "gone");
    await at.seen("webhookEndpointDisabled");
    const first = door();
    const looks: Promise<unknown>[] = [];
    Object.assign(log, {
      refresh: async () => {
        const found = await refresh();
        looks.push(Promise.resolve());
        await first.isOpen;
        return found;
      },
    });
    await broker.publish("a.b", "missed");
    await settled(at);
    await webhooks.endpoints.unpause("partner");
    while (looks.length === 0) await settled(at);
    // It comes back with what is published now, says that it is gone again, and misses one more.
    await broker.publish("a.b", "gone again");
    await at.seen("webhookEndpointDisabled", 2);
    await broker.publish("a.b", "missed again");
    await settled(at);
    await webhooks.endpoints.unpause("partner");
    isGone = false;
    first.open();
    await to.count(4);
    expect(to.received.slice(2).map(dataOf).toSorted()).toEqual(["missed", "missed again"]);
  });
});

describe("an endpoint with an order that is turned on again while events come", () => {
  /** Its first event, 0, was answered with 410; everything else is taken. */
  async function turnedOff(store: MemoryStore) {
    let isGone = true;
    const to = await listening((_, response) => response.writeHead(isGone ? 410 : 204).end());
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    await at.broker.publish("a.b", 0);
    await at.seen("webhookEndpointDisabled");
    isGone = false;
    return { to, at };
  }

  it("gets what it missed first, then what came meanwhile, each once", async () => {
    const store = new MemoryStore();
    const log: EventLog = store.log;
    const refresh = log.refresh.bind(log);
    const { open, isOpen } = door();
    const { to, at } = await turnedOff(store);
    const { broker, webhooks } = at;
    for (let count = 1; count <= 20; count += 1) await broker.publish("a.b", count);
    await settled(at);
    let looks = 0;
    Object.assign(log, {
      refresh: async () => {
        looks += 1;
        if (looks === 1) await isOpen;
        const found = await refresh();
        // What comes between a look and what is done with it.
        await broker.publish("a.b", 30 + looks);
        await settled(at);
        return found;
      },
    });
    await webhooks.endpoints.unpause("partner");
    for (let count = 21; count <= 30; count += 1) await broker.publish("a.b", count);
    await settled(at);
    open();
    await to.count(33);
    await broker.publish("a.b", 33);
    await to.count(34);
    expect(to.received.slice(1).map(dataOf)).toEqual(Array.from({ length: 33 }, (_, index) => index + 1));
    await settled(at);
    expect(await webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 0, attempting: 0 });
  });

  it("does so, too, when it is paused meanwhile: what waits is kept, even beyond the log's retention", async () => {
    const store = new MemoryStore({ retention: { maxEvents: 10 } });
    const { to, at } = await turnedOff(store);
    const { broker, webhooks } = at;
    await broker.publish("a.b", 1);
    await settled(at);
    const { open, isOpen } = door();
    const log: EventLog = store.log;
    const refresh = log.refresh.bind(log);
    Object.assign(log, { refresh: () => isOpen.then(refresh) });
    await webhooks.endpoints.unpause("partner");
    await webhooks.endpoints.pause("partner");
    open();
    await settled(at);
    for (let count = 2; count <= 40; count += 1) {
      await broker.publish("a.b", count);
      await settled(at);
    }
    expect(await webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 40 });
    await webhooks.endpoints.unpause("partner");
    await to.count(41);
    expect(to.received.slice(1).map(dataOf)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });
});

describe("an endpoint that is put while events come", () => {
  it("gets everything that was published after the call", async () => {
    const store = new MemoryStore();
    const { records } = store;
    const put = records.put.bind(records);
    const { open, isOpen } = door();
    Object.assign(records, {
      put: async (...given: Parameters<typeof put>) => {
        await isOpen;
        return put(...given);
      },
    });
    const to = await listening();
    const at = house({ allow: [to.origin], store });
    await at.broker.publish("a.b", "before");
    const made = at.webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    await at.broker.publish("a.b", "during");
    await settled(at);
    open();
    await made;
    await at.broker.publish("a.b", "after");
    await to.count(2);
    expect(to.received.map(dataOf)).toEqual(["during", "after"]);
  });
});

describe("an endpoint that is removed", () => {
  it("while events for it wait to be stored gets none of them, not even when it is put again", async () => {
    const { open, isOpen } = door();
    const to = await listening();
    const store = slowToSay(() => isOpen);
    const at = house({ allow: [to.origin], store });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await webhooks.endpoints.pause("partner");
    for (const data of ["being stored", "waiting to be"]) {
      await broker.publish("a.b", data);
      await settled(at);
    }
    await webhooks.endpoints.remove("partner");
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    open();
    await broker.publish("a.b", "new");
    await to.count(1);
    await settled(at);
    expect(to.received.map(dataOf)).toEqual(["new"]);
    expect((await store.deliveries.list({}, { limit: 10 })).deliveries).toHaveLength(1);
  });

  it("while it gets what it missed is looked for no more", async () => {
    const { open, isOpen } = door();
    const store = new MemoryStore();
    const log: EventLog = store.log;
    const read = log.read.bind(log);
    const to = await listening((_, response) => response.writeHead(410).end());
    const at = house({ allow: [to.origin], store });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await broker.publish("a.b", "gone");
    await at.seen("webhookEndpointDisabled");
    await broker.publish("a.b", "missed");
    await settled(at);
    const reading = new Promise<void>((resolve) =>
      Object.assign(log, {
        read: async (...given: Parameters<EventLog["read"]>) => {
          resolve();
          await isOpen;
          return read(...given);
        },
      }),
    );
    await webhooks.endpoints.unpause("partner");
    await reading;
    await webhooks.endpoints.remove("partner");
    open();
    await settled(at);
    expect((await store.deliveries.list({}, { limit: 10 })).deliveries).toEqual([]);
    expect(at.all("webhookStoreFailed")).toEqual([]);
  });

  it("while an attempt fails leaves nothing behind that another of its id would be judged by", async () => {
    const time = fakeTime();
    const { to, answer } = await holding();
    const at = house({ allow: [to.origin], surroundings: time });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await broker.publish("a.b", 1);
    await to.count(1);
    await webhooks.endpoints.remove("partner");
    answer(500);
    await at.seen("webhookAttempted");
    await play(time, time.clock.now() + 6 * day, at);
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await broker.publish("a.b", 2);
    await to.count(2);
    answer(500);
    await at.seen("webhookAttempted", 2);
    await settled(at);
    expect(await webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
  });

  it("is removed whole by a second call when the first one was broken off", async () => {
    const to = await listening();
    const store = new MemoryStore();
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.endpoints.pause("partner");
    await at.broker.publish("a.b", 1);
    await settled(at);
    await store.records.remove("webhooks/endpoints/partner");
    expect(await at.webhooks.endpoints.remove("partner")).toBe(false);
    expect((await store.deliveries.list({}, { limit: 10 })).deliveries).toEqual([]);
  });
});

describe("an endpoint that was paused for a week", () => {
  it("is not turned off by the first failure after it, whatever there was before", async () => {
    const time = fakeTime();
    const to = await listening((_, response) => response.writeHead(500).end());
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", 1);
    await play(time, time.clock.now() + minute, at);
    await at.webhooks.endpoints.pause("partner");
    await play(time, time.clock.now() + 7 * day, at);
    await at.webhooks.endpoints.unpause("partner");
    await play(time, time.clock.now() + minute, at);
    expect(at.all("webhookAttempted").length).toBeGreaterThan(2);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
  });
});

describe("an endpoint that has moved", () => {
  it("is not turned off by what its old address says, and gets what that one refused", async () => {
    const time = fakeTime();
    const { to: old, answer } = await holding();
    const to = await listening();
    const at = house({ allow: [old.origin, to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: old.origin });
    const { id } = await at.broker.publish("a.b", 1);
    await old.count(1);
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    answer(410);
    await play(time, time.clock.now() + minute, at);
    expect(idsOf(to)).toEqual([id]);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
  });

  it("has five days anew at its new address", async () => {
    const time = fakeTime();
    const old = await listening((_, response) => response.writeHead(500).end());
    const to = await listening((_, response) => response.writeHead(500).end());
    const at = house({ allow: [old.origin, to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: old.origin });
    const fail = async (days: number): Promise<void> => {
      for (let count = 0; count < 4 * days; count += 1) {
        await at.broker.publish("a.b", count);
        await play(time, time.clock.now() + day / 4, at);
      }
    };
    await fail(4);
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await fail(4);
    expect(to.received.length).toBeGreaterThan(10);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
    await fail(2);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "disabled" } });
  });

  it("is asked at its new address at once, however long the old one failed", async () => {
    const time = fakeTime();
    const old = await listeningRaw({ onRequest: (socket) => socket.destroy() });
    const to = await listening();
    const at = house({ allow: [old.origin, to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: old.origin });
    for (let count = 0; count < 20; count += 1) await at.broker.publish("a.b", count);
    await play(time, time.clock.now() + 3_000, at);
    expect(at.all("webhookEndpointRested")).toHaveLength(1);
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await play(time, time.clock.now() + 1_000, at);
    expect(to.received.length).toBeGreaterThan(0);
  });
});

describe("an endpoint that may be asked more at once", () => {
  it("keeps as many connections for the next requests", async () => {
    let atOnce = 1;
    const held: Socket[] = [];
    const to = await listeningRaw({
      onRequest: (socket) => {
        held.push(socket);
        if (held.length === atOnce) held.splice(0).forEach((each) => each.write("HTTP/1.1 204 No Content\r\n\r\n"));
      },
    });
    const at = house({ allow: [to.origin] });
    const put = (concurrency: number): Promise<unknown> =>
      at.webhooks.endpoints.put({ id: "partner", url: to.origin, concurrency });
    let published = 0;
    const publish = async (count: number): Promise<void> => {
      for (let each = 0; each < count; each += 1) await at.broker.publish("a.b", (published += 1));
      await at.seen("webhookAttempted", published);
    };
    await put(1);
    await publish(1);
    await put(4);
    await publish(8);
    atOnce = 4;
    for (let burst = 0; burst < 5; burst += 1) await publish(4);
    expect(at.all("webhookAttempted").filter(({ category }) => category !== "succeeded")).toEqual([]);
    expect(to.connections()).toBeLessThanOrEqual(5);
  });
});
