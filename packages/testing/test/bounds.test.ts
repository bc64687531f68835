import { MemoryCheckpoints, MemoryDeliveries, MemoryRecords } from "@starcast/core";
import { fakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";

describe("memory checkpoints", () => {
  it("keep at most maxNames names", async () => {
    const checkpoints = new MemoryCheckpoints({ clock: fakeSurroundings().clock, maxNames: 2 });
    await checkpoints.acquire("a", 1_000);
    await checkpoints.acquire("b", 1_000);
    await expect(checkpoints.acquire("c", 1_000)).rejects.toMatchObject({ code: "store_full" });
    await checkpoints.remove("a");
    expect(await checkpoints.acquire("c", 1_000)).not.toBeNull();
  });

  it("refuse names longer than 256 characters", async () => {
    const checkpoints = new MemoryCheckpoints({ clock: fakeSurroundings().clock });
    await expect(checkpoints.acquire("x".repeat(257), 1)).rejects.toMatchObject({ code: "invalid_option" });
    await expect(checkpoints.acquire("", 1)).rejects.toMatchObject({ code: "invalid_option" });
  });
});

describe("memory records", () => {
  it("keep at most maxBytes, and count what is replaced and removed", async () => {
    const records = new MemoryRecords({ maxBytes: 100 });
    await records.put("a", "x".repeat(98));
    await expect(records.put("b", "")).resolves.toBeGreaterThan(0);
    await records.remove("b");
    await expect(records.put("b", "x")).rejects.toMatchObject({ code: "store_full" });
    expect(await records.get("b")).toBeNull();
    await records.put("a", "short");
    await records.put("b", "é".repeat(40));
    await expect(records.put("c", "x".repeat(20))).rejects.toMatchObject({ code: "store_full" });
  });
});

describe("memory deliveries", () => {
  it("forget the oldest finished ones beyond maxFinished", async () => {
    const { deliveries, finish } = deliveriesOf({ maxFinished: 3 });
    for (let index = 0; index < 5; index += 1) await finish(`e${index}`);
    const { deliveries: kept } = await deliveries.list({}, { limit: 10 });
    expect(kept.map(({ event }) => event.id)).toEqual(["e4", "e3", "e2"]);
  });

  it("of an endpoint that takes nothing leave the others all of theirs: its oldest overflow when there is no room", async () => {
    const { deliveries, clock } = deliveriesOf({ maxBytes: 100_000 });
    const attempt = { at: 0, tookMs: 0, category: "succeeded", status: 200, answer: null };
    let overflowed = 0;
    for (let index = 0; index < 500; index += 1) {
      const event = { id: `e${index}`, type: "a.b", subject: undefined, timestamp: "t", json: `"${"x".repeat(600)}"` };
      const draftTo = (endpointId: string) => ({ endpointId, event, dueAt: 0, orderKey: "all" });
      overflowed += (await deliveries.put([draftTo("dead"), draftTo("fine")])).overflowed;
      const request = {
        now: clock.now(),
        limit: 10,
        perEndpoint: (id: string) => (id === "fine" ? 10 : 0),
        leaseMs: 1,
      };
      const claims = await deliveries.claimDue(request);
      expect(claims.map(({ delivery }) => delivery.event.id)).toEqual([`e${index}`]);
      for (const claim of claims) await deliveries.succeed(claim, attempt);
    }
    const { pending, dead } = await deliveries.backlog("dead");
    expect({ pending: pending + overflowed, dead }).toEqual({ pending: 500, dead: 0 });
    expect(pending).toBeGreaterThan(20);
    const [first] = await deliveries.claimDue({ now: clock.now(), limit: 1, perEndpoint: () => 1, leaseMs: 1 });
    expect(first?.delivery.event.id).toBe(`e${500 - pending}`);
  });

  it("of endpoints that all take nothing are refused when there is no room: the log keeps them", async () => {
    const { deliveries } = deliveriesOf({ maxBytes: 50_000 });
    const puts: Promise<unknown>[] = [];
    for (let index = 0; index < 100; index += 1) {
      const event = { id: `e${index}`, type: "a.b", subject: undefined, timestamp: "t", json: `"${"x".repeat(600)}"` };
      puts.push(
        deliveries.put(["one", "two"].map((endpointId) => ({ endpointId, event, dueAt: 0, orderKey: undefined }))),
      );
    }
    const outcomes = await Promise.allSettled(puts);
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(50);
    expect(refused[0]).toMatchObject({ reason: { code: "store_full" } });
    expect((await deliveries.backlog("one")).pending).toBe(100 - refused.length);
  });

  it("forget finished ones for new ones beyond maxBytes, then refuse", async () => {
    const { deliveries, finish, put } = deliveriesOf({ maxBytes: 5_000 });
    await finish("old", 3_000);
    await put("new", 3_000);
    expect(await deliveries.get("ep", "old")).toBeNull();
    await expect(put("more", 3_000)).rejects.toMatchObject({ code: "store_full" });
    expect(await deliveries.get("ep", "more")).toBeNull();
  });

  it("count bytes, where a letter takes three of them", async () => {
    const { deliveries, put } = deliveriesOf({ maxBytes: 5_000 });
    await expect(put("long", 2_000, "\u20ac")).rejects.toMatchObject({ code: "store_full" });
    expect(await deliveries.get("ep", "long")).toBeNull();
    expect(await put("short", 1_000, "\u20ac")).toEqual({ stored: 1, overflowed: 0 });
  });

  it("keep an event's bytes once, however many endpoints it goes to", async () => {
    const { deliveries } = deliveriesOf({ maxBytes: 20_000 });
    const event = {
      id: "e1",
      type: "test.happened",
      subject: undefined,
      timestamp: "",
      json: `"${"x".repeat(9_000)}"`,
    };
    const drafts = Array.from({ length: 20 }, (_, index) => ({
      endpointId: `ep${index}`,
      event,
      dueAt: 0,
      orderKey: undefined,
    }));
    expect(await deliveries.put(drafts)).toEqual({ stored: 20, overflowed: 0 });
    for (let index = 0; index < 20; index += 1) await deliveries.removeEndpoint(`ep${index}`);
    expect(
      await deliveries.put([
        {
          ...drafts[0],
          endpointId: "ep",
          event: { ...event, id: "e2", json: `"${"x".repeat(15_000)}"` },
          dueAt: 0,
          orderKey: undefined,
        },
      ]),
    ).toMatchObject({ stored: 1 });
  });

  it("stay quick with a long lane of one order key", async () => {
    const { deliveries, clock } = deliveriesOf({});
    const event = (index: number) => ({
      id: `e${index}`,
      type: "test.happened",
      subject: undefined,
      timestamp: "",
      json: "1",
    });
    await deliveries.put(
      Array.from({ length: 20_000 }, (_, index) => ({
        endpointId: "ep",
        event: event(index),
        dueAt: 0,
        orderKey: "k",
      })),
    );
    for (let index = 0; index < 20_000; index += 1) {
      const [claim] = await deliveries.claimDue({ now: clock.now(), limit: 1, perEndpoint: () => 1, leaseMs: 1_000 });
      expect(claim?.delivery.event.id).toBe(`e${index}`);
      if (claim !== undefined)
        await deliveries.succeed(claim, { at: 0, tookMs: 0, category: "succeeded", status: 200, answer: null });
    }
  });

  it("stay quick while the oldest finished ones are forgotten", async () => {
    const { deliveries, clock } = deliveriesOf({});
    const attempt = { at: 0, tookMs: 0, category: "succeeded", status: 204, answer: null };
    // The first half is only kept, the second pushes it out, one by one: a ratio of CPU time, that no busy machine changes.
    const took: [number, number] = [0, 0];
    for (let first = 0; first < 200_000; first += 1_000) {
      const started = process.cpuUsage();
      const events = Array.from({ length: 1_000 }, (_, index) => ({
        id: `e${first + index}`,
        type: "test.happened",
        subject: undefined,
        timestamp: "",
        json: "1",
      }));
      await deliveries.put(events.map((event) => ({ endpointId: "ep", event, dueAt: 0, orderKey: undefined })));
      const request = { now: clock.now(), limit: 1_000, perEndpoint: () => 1_000, leaseMs: 1_000 };
      for (const claim of await deliveries.claimDue(request)) await deliveries.succeed(claim, attempt);
      took[first < 100_000 ? 0 : 1] += process.cpuUsage(started).user;
    }
    expect(await deliveries.get("ep", "e99999")).toBeNull();
    expect(await deliveries.get("ep", "e100000")).not.toBeNull();
    expect(took[1]).toBeLessThan(5 * took[0]);
  });
});

function deliveriesOf(limits: { readonly maxFinished?: number; readonly maxBytes?: number }) {
  const { clock } = fakeSurroundings();
  const deliveries = new MemoryDeliveries({ clock, checkpoints: new MemoryCheckpoints({ clock }), ...limits });
  const put = (id: string, length = 1, letter = "x") =>
    deliveries.put([
      {
        endpointId: "ep",
        event: { id, type: "test.happened", subject: undefined, timestamp: "", json: `"${letter.repeat(length)}"` },
        dueAt: 0,
        orderKey: undefined,
      },
    ]);
  const finish = async (id: string, bytes?: number): Promise<void> => {
    await put(id, bytes);
    const [claim] = await deliveries.claimDue({ now: clock.now(), limit: 1, perEndpoint: () => 1, leaseMs: 1_000 });
    if (claim !== undefined)
      await deliveries.succeed(claim, { at: 0, tookMs: 0, category: "succeeded", status: 200, answer: null });
  };
  return { deliveries, clock, put, finish };
}
