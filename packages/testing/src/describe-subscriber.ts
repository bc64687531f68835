import { describe, expect, it } from "vitest";
import { Broker, MemoryStore } from "@starcast/core";
import { tapSubscribers } from "./contract-tap.ts";
import { describeDurability } from "./describe-durability.ts";
import { describeResuming } from "./describe-resuming.ts";
import { closesAfterEach } from "./engine-rig.ts";
import { ids, publish, take, type Arrival, type StartTransport, type SubscriberContract } from "./transport-rig.ts";

/** The promises of the `Subscriber` port, as tests from the far side: every transport runs them. */
export function describeSubscriber(name: string, contract: SubscriberContract): void {
  describe(`the transport ${name}`, () => {
    const keep = closesAfterEach();
    const start: StartTransport = async (maxEvents = 10_000) => {
      const broker = keep(
        new Broker({
          store: new MemoryStore({ retention: { maxEvents } }),
          observe: [],
          drain: { spreadMs: 0, deadlineMs: 2_000 },
        }),
      );
      const tap = tapSubscribers(broker);
      return { broker, tap, rig: keep(await contract.start(tap.broker)) };
    };

    describeDelivery(start, contract);
    if (contract.resumes) describeResuming(start);
    if (contract.durable) describeDurability(keep, contract);
    if (contract.canStall) describeStalling(start, contract);
    describeEnding(start);
  });
}

function describeDelivery(start: StartTransport, { filters }: SubscriberContract): void {
  it("delivers what is published, in order, with its id, type, subject and data", async () => {
    const { broker, rig, tap } = await start();
    const receiver = await rig.connect();
    const published: Arrival[] = [];
    for (const data of payloads) {
      const { id, type } = await broker.publish("test.happened", data, { subject: "s/1" });
      published.push({ kind: "event", id, type, subject: "s/1", data });
    }
    expect(await take(receiver, payloads.length)).toEqual(published);
    expect(tap.violations).toEqual([]);
  });

  it("delivers a burst of one turn completely and in order", async () => {
    const { broker, rig, tap } = await start();
    const receiver = await rig.connect();
    const publications = Array.from({ length: 1_000 }, (_, number) => broker.publish("test.happened", { number }));
    const wanted = (await Promise.all(publications)).map(({ id }) => id);
    expect(ids(await take(receiver, 1_000))).toEqual(wanted);
    expect(tap.violations).toEqual([]);
  });

  it("delivers an event of nearly the largest size between small ones", async () => {
    const { broker, rig } = await start();
    const receiver = await rig.connect();
    const large = "x".repeat(200_000);
    for (const data of ["before", large, "after"]) await broker.publish("test.happened", data);
    const arrived = await take(receiver, 3);
    expect(arrived.map((each) => (each.kind === "event" ? each.data : each))).toEqual(["before", large, "after"]);
  });

  it("gives every receiver everything", async () => {
    const { broker, rig } = await start();
    const receivers = [await rig.connect(), await rig.connect(), await rig.connect()];
    const wanted = (await publish(broker, 20)).map(({ id }) => id);
    for (const receiver of receivers) expect(ids(await take(receiver, 20))).toEqual(wanted);
  });

  it("goes on for the others when one goes away", async () => {
    const { broker, rig, tap } = await start();
    const [leaving, staying] = [await rig.connect(), await rig.connect()];
    await publish(broker, 3);
    await leaving.disconnect();
    await publish(broker, 3);
    expect(await take(staying, 6)).toHaveLength(6);
    expect(tap.violations).toEqual([]);
  });

  if (!filters) return;
  it("delivers only the types a receiver asked for", async () => {
    const { broker, rig } = await start();
    const receiver = await rig.connect({ types: ["alpha.*"] });
    for (const type of ["beta.one", "alpha.one", "beta.two", "alpha.two"]) await broker.publish(type, null);
    expect((await take(receiver, 2)).map((each) => (each.kind === "event" ? each.type : each))).toEqual([
      "alpha.one",
      "alpha.two",
    ]);
  });
}

function describeStalling(start: StartTransport, { resumes }: SubscriberContract): void {
  it("lets no stalled receiver delay another, and lets it have everything when it reads again", async () => {
    const { broker, rig, tap } = await start();
    const [stalled, reading] = [await rig.connect(), await rig.connect()];
    stalled.stall?.();
    // More than the buffers of two kernels hide.
    const padding = "x".repeat(100_000);
    const wanted: string[] = [];
    for (let number = 0; number < 120; number += 1) {
      wanted.push((await broker.publish("test.happened", { number, padding })).id);
      expect(await reading.next()).toMatchObject({ kind: "event", id: wanted.at(-1) });
    }
    stalled.unstall?.();
    expect(ids(await take(stalled, wanted.length))).toEqual(wanted);
    expect(tap.violations).toEqual([]);
  });

  if (!resumes) return;
  it("tells a stalled receiver exactly what it missed", async () => {
    const { broker, rig, tap } = await start(60);
    const stalled = await rig.connect();
    stalled.stall?.();
    const padding = "x".repeat(100_000);
    for (let number = 0; number < 200; number += 1) {
      await broker.publish("test.happened", { number, padding });
      // Its own turn each, or the pump would have had no chance to offer it.
      await new Promise((resolve) => broker.surroundings.scheduler.nextTurn(() => resolve(undefined)));
    }
    stalled.unstall?.();
    let expected = 1;
    let gaps = 0;
    while (expected <= 200) {
      const arrival = await stalled.next();
      if (arrival.kind === "gap") {
        gaps += 1;
        expect(offsetOf(arrival.after ?? "")).toBe(expected - 1);
        expected = offsetOf(arrival.through) + 1;
      } else {
        expect(offsetOf(arrival.id)).toBe(expected);
        expected += 1;
      }
    }
    expect(gaps).toBeGreaterThan(0);
    expect(tap.violations).toEqual([]);
  });
}

function describeEnding(start: StartTransport): void {
  it("may be closed twice, and leaves no subscriber behind", async () => {
    const { broker, rig, tap } = await start();
    await rig.connect();
    await publish(broker, 3);
    await rig.close();
    await rig.close();
    expect(broker.subscriberCount).toBe(0);
    expect(tap.closed).toBe(tap.attached);
    await publish(broker, 3);
    expect(tap.violations).toEqual([]);
  });

  it("ends with its broker, in time", async () => {
    const { broker, rig, tap } = await start();
    await rig.connect();
    await publish(broker, 3);
    await broker.close();
    expect(tap.closed).toBe(tap.attached);
    expect(tap.violations).toEqual([]);
    await rig.close();
  });
}

const payloads: readonly unknown[] = [
  null,
  0,
  "plain",
  "line\r\nbreaks\nand \u2028 others\rdata: fake\n\nid: 7\n\n",
  { nested: { list: [1, [2, [3]]], empty: {} }, text: 'é 😀 \u0000 "quoted" \\' },
  [],
  "x".repeat(5_000),
  true,
];

function offsetOf(id: string): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}
