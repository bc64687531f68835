import { rmSync } from "node:fs";
import { draft } from "@starcast/testing";
import type { Appended, DeliveredEvent, DeliveryDraft } from "@starcast/core";
import { describe, expect, it } from "vitest";
import type { Driver } from "../src/driver.ts";
import type { SqliteStore } from "../src/index.ts";
import { houseOfFiles, noMeta, outcomeOf, type House } from "./house.ts";

/** Publishes so many, each with a subject. */
async function publish(store: SqliteStore, count: number): Promise<readonly DeliveredEvent[]> {
  const drafts = Array.from({ length: count }, (_, index) => draft({ number: index }, { subject: `model/ü${index}` }));
  const appended: Appended[] = [];
  for (let at = 0; at < count; at += 20) appended.push(...(await store.log.append(drafts.slice(at, at + 20))));
  return appended.map(({ position, timestamp }, index) => {
    const { type, subject, json } = drafts[index] ?? draft();
    return { id: `${position.epoch}-${position.offset}`, type, subject, timestamp, json };
  });
}

function draftOf(event: DeliveredEvent, endpointId = "ep"): DeliveryDraft {
  return { endpointId, event, dueAt: 0, orderKey: undefined };
}

async function copiesIn({ edit }: House): Promise<number> {
  let count = -1;
  await edit((driver: Driver) => {
    count = Number(driver.prepare("SELECT count(*) AS count FROM delivery_events").get()?.["count"]);
  });
  return count;
}

async function eventsOf({ deliveries }: SqliteStore): Promise<readonly DeliveredEvent[]> {
  const { deliveries: listed } = await deliveries.list({}, { limit: 1_000 });
  return listed.map(({ event }) => event).toReversed();
}

const everything = { now: Number.MAX_SAFE_INTEGER / 2, limit: 1_000, perEndpoint: () => 1_000, leaseMs: 1_000 };
const attempt = { at: 1, tookMs: 1, category: "succeeded", status: 204, answer: null };

describe("the event of a delivery", () => {
  const house = houseOfFiles();

  it("is not written twice while the log has it, and is read from there by the next life", async () => {
    const rooms = house();
    const first = await rooms.open();
    const events = await publish(first, 50);
    await first.deliveries.put(events.flatMap((event) => [draftOf(event), draftOf(event, "other")]));
    await first.close();
    expect(await copiesIn(rooms)).toBe(0);
    const store = await rooms.open();
    expect(await eventsOf(store)).toEqual(events.flatMap((event) => [event, event]));
    const claims = await store.deliveries.claimDue({ ...everything, perEndpoint: (id) => (id === "ep" ? 50 : 0) });
    expect(claims.map(({ delivery }) => delivery.event)).toEqual(events);
  });

  it("is kept when the log lets go of it, for as long as a delivery needs it", async () => {
    const rooms = house();
    const store = await rooms.open({ retention: { maxEvents: 300 } });
    const events = await publish(store, 280);
    // Of all but every seventh; the last of these are still in the log afterwards.
    const wanted = events.filter((_, index) => index % 7 > 0);
    await store.deliveries.put(wanted.map((event) => draftOf(event)));
    await publish(store, 200);
    await store.log.trim();
    expect(store.log.trimmedThrough).toBe(180);
    expect(await eventsOf(store)).toEqual(wanted);
    await store.close();
    const kept = wanted.filter(({ id }) => Number(id.split("-")[1]) <= 180).length;
    expect(await copiesIn(rooms)).toBe(kept);
    const again = await rooms.open({ retention: { maxEvents: 300 } });
    expect(await eventsOf(again)).toEqual(wanted);
    const claims = await again.deliveries.claimDue(everything);
    for (const claim of claims.slice(10)) await again.deliveries.succeed(claim, attempt);
    await again.deliveries.forget(Infinity, Infinity);
    expect(await eventsOf(again)).toEqual(wanted.slice(0, 10));
    await again.close();
    expect(await copiesIn(rooms)).toBe(10);
  });

  it("is kept when the log lets go of it together with a damaged one, which has no other to give", async () => {
    const rooms = house();
    const first = await rooms.open();
    const events = await publish(first, 20);
    await first.deliveries.put(events.map((event) => draftOf(event)));
    await first.close();
    await rooms.edit((driver) => driver.exec("UPDATE events SET json = '{}' WHERE offset = 5"));
    const store = await rooms.open({ retention: { maxEvents: 2 } });
    await store.log.trim();
    expect(store.log.trimmedThrough).toBe(18);
    const whole = events.filter((_, index) => index !== 4);
    expect(await Promise.all(whole.map(({ id }) => store.deliveries.get("ep", id)))).toMatchObject(
      whole.map((event) => ({ event })),
    );
    expect(await outcomeOf(store.deliveries.get("ep", events[4]?.id ?? ""))).toBe("store_corrupt");
  });

  it("goes with its delivery also where an earlier try to forget that came to nothing", async () => {
    const rooms = house();
    const store = await rooms.open();
    await publish(store, 1);
    await store.deliveries.put([
      draftOf({ id: "other-1", type: "a.b", subject: undefined, timestamp: "t", json: "1" }),
    ]);
    const [claim] = await store.deliveries.claimDue(everything);
    if (claim === undefined) throw new Error("Expected a claim, got none");
    await store.deliveries.succeed(claim, attempt);
    await rooms.edit(noMeta);
    const [forgotten] = await Promise.all([
      outcomeOf(store.deliveries.forget(Infinity, Infinity)),
      outcomeOf(store.log.append([draft()])),
    ]);
    expect(forgotten).toBe("store_failed");
    await rooms.edit((driver) => driver.exec("DROP TRIGGER broken"));
    expect(await store.deliveries.forget(Infinity, Infinity)).toBe(1);
    await store.close();
    expect(await copiesIn(rooms)).toBe(0);
  });

  it("is copied at once when the log has none of its id", async () => {
    const rooms = house();
    const store = await rooms.open();
    const [event] = await publish(store, 1);
    if (event === undefined) throw new Error("Expected an event, got none");
    const { epoch } = store.log;
    const strangers = [
      `${epoch}-0`,
      `${epoch}-01`,
      `${epoch}-1.0`,
      `${epoch}-2`,
      `${epoch}-gap-1`,
      `x${epoch}-1`,
      "1",
      epoch,
    ];
    const others = strangers.map((id) => ({ ...event, id, json: JSON.stringify(id) }));
    await store.deliveries.put([event, ...others].map((each) => draftOf(each)));
    // What is published later takes an id that was put by somebody before: that one keeps what it was put with.
    await publish(store, 1);
    expect(await eventsOf(store)).toEqual([event, ...others]);
    await store.close();
    expect(await copiesIn(rooms)).toBe(strangers.length);
  });

  it("is the same after the file got a new epoch", async () => {
    const rooms = house();
    const first = await rooms.open();
    const events = await publish(first, 300);
    await first.deliveries.put(events.map((event) => draftOf(event)));
    await first.close();
    // A file that is alone may be a copy of before.
    rmSync(`${rooms.path}-head`);
    const store = await rooms.open({ retention: { maxEvents: 50 } });
    expect(store.log.epoch).not.toBe(first.log.epoch);
    const more = await publish(store, 20);
    await store.deliveries.put(more.map((event) => draftOf(event)));
    await store.log.trim();
    expect(await eventsOf(store)).toEqual([...events, ...more]);
    expect(await store.deliveries.put(events.map((event) => draftOf(event)))).toMatchObject({ stored: 0 });
    expect((await store.deliveries.claimDue(everything)).map(({ delivery }) => delivery.event)).toEqual([
      ...events,
      ...more,
    ]);
  });

  it.each([
    ["is still in the log", 0],
    ["is no longer in the log", 20],
  ])("is refused when it was damaged there, as the others are not, and %s", async (_, later) => {
    const rooms = house();
    const first = await rooms.open();
    const events = await publish(first, 3);
    await first.deliveries.put(events.map((event) => draftOf(event)));
    await first.close();
    await rooms.edit((driver) => driver.exec("UPDATE events SET json = '{}' WHERE offset = 2"));
    const store = await rooms.open({ retention: { maxEvents: 10 } });
    for (let count = 0; count < later; count += 1) await publish(store, 1);
    expect(store.log.trimmedThrough).toBe(later === 0 ? 0 : 13);
    const { deliveries } = store;
    const ids = events.map(({ id }) => id);
    const outcomes = await Promise.all(ids.map((id) => outcomeOf(deliveries.get("ep", id))));
    expect(outcomes).toMatchObject([{ event: events[0] }, "store_corrupt", { event: events[2] }]);
  });
});
