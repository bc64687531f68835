import type { Surroundings } from "@starcast/client";
import { replica, type Replica } from "@starcast/client/replica";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { realSurroundings } from "../src/surroundings.ts";
import { Follower } from "./follower.ts";
import { House, type HouseOptions } from "./house.ts";
import type { Model, ModelEvents } from "./models.ts";

/** A server's state, changed and published at once, and a replica of it in a client. */
async function replicated(options: HouseOptions = {}): Promise<{
  readonly house: House;
  readonly follower: Follower;
  readonly truth: Map<string, Model>;
  readonly copy: Replica<ModelEvents, Model>;
  readonly loads: number[];
  set(id: string, n: number): Promise<unknown>;
  remove(id: string): Promise<unknown>;
}> {
  const house = await House.open(options);
  const truth = new Map<string, Model>();
  const loads: number[] = [];
  const follower = new Follower({ url: house.url });
  const copy = replica<ModelEvents, Model>(follower.client, {
    load: async () => {
      const loaded = { position: house.broker.position, entries: [...truth] };
      loads.push(house.broker.position.offset);
      // What is published meanwhile comes before the answer does.
      await house.broker.publish("number.drawn", { n: loads.length });
      return loaded;
    },
  });
  onTestFinished(() => copy.close());
  return {
    house,
    follower,
    truth,
    copy,
    loads,
    // The state is changed when the event is committed, so that the position speaks for it.
    set: (id, n) => house.broker.publish("model.set", { model: { id, n } }).then(() => truth.set(id, { id, n })),
    remove: (id) => house.broker.publish("model.deleted", { id }).then(() => truth.delete(id)),
  };
}

/** Resolves when the copy has this size and value: looks whenever the copy says it changed. */
function untilCopied(
  copy: Replica<ModelEvents, Model>,
  isSo: (entries: ReadonlyMap<string, Model>) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    let stop: () => void = () => undefined;
    stop = copy.subscribe((entries) => {
      if (!isSo(entries)) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

describe("a replica", () => {
  it("has what was loaded, and every change since", async () => {
    const { set, remove, copy, truth } = await replicated();
    await set("a", 1);
    await set("b", 1);
    await copy.ready;
    await set("a", 2);
    await set("c", 3);
    await remove("b");
    await untilCopied(copy, (entries) => entries.has("c") && !entries.has("b"));
    expect([...copy].toSorted()).toEqual([...truth].toSorted());
    expect(copy.get("a")).toEqual({ id: "a", n: 2 });
  });

  it("gives the same snapshot until something changed, and never changes one", async () => {
    const { set, copy } = await replicated();
    await copy.ready;
    const before = copy.getSnapshot();
    expect(copy.getSnapshot()).toBe(before);
    await set("a", 1);
    await untilCopied(copy, (entries) => entries.has("a"));
    expect(before.size).toBe(0);
    expect(copy.getSnapshot()).not.toBe(before);
  });

  it("is loaded anew after a gap, and shows what it had meanwhile", async () => {
    const { house, follower, set, copy, truth, loads } = await replicated({ maxEvents: 50 });
    await set("a", 1);
    await copy.ready;
    house.cut();
    await follower.untilState("waiting");
    for (let n = 1; n <= 20; n += 1) for (let id = 0; id < 10; id += 1) await set(`m${id}`, n);
    await follower.until(() => follower.gaps.length === 1);
    expect(copy.state).toBe("reloading");
    expect(copy.get("a")).toEqual({ id: "a", n: 1 });
    await untilCopied(copy, (entries) => entries.get("m9")?.n === 20);
    expect([...copy].toSorted()).toEqual([...truth].toSorted());
    expect(copy.state).toBe("live");
    expect(loads.length).toBeGreaterThanOrEqual(2);
  });

  it("takes no state that is older than what it saw", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url });
    const stale = { position: house.position, entries: [] };
    await house.broker.publish("model.set", { model: { id: "a", n: 1 } });
    await house.broker.publish("model.set", { model: { id: "b", n: 1 } });
    let loads = 0;
    const copy = replica<ModelEvents, Model>(follower.client, {
      load: () => {
        loads += 1;
        // A cache on the way answers first.
        return loads === 1
          ? stale
          : { position: house.position, entries: { a: { id: "a", n: 1 }, b: { id: "b", n: 1 } } };
      },
    });
    await copy.ready;
    expect(loads).toBe(2);
    expect([...copy.keys()]).toEqual(["a", "b"]);
  });

  it("whose `reduce` throws at every event loads less and less often", async () => {
    const house = await House.open();
    const later: { readonly ms: number; readonly run: () => void }[] = [];
    const surroundings: Surroundings = {
      ...realSurroundings,
      random: { next: () => 0.5 },
      scheduler: {
        // Back-offs alone are that long, and not longer.
        after(ms, run, options) {
          if (ms <= 500 || ms > 5_000) return realSurroundings.scheduler.after(ms, run, options);
          later.push({ ms, run });
          return { cancel: () => undefined };
        },
      },
    };
    const follower = new Follower({ url: house.url, runtime: { surroundings } });
    let loads = 0;
    const copy = replica<ModelEvents, Model>(follower.client, {
      load: () => {
        loads += 1;
        return { position: house.position, entries: [] };
      },
      reduce: () => {
        throw new Error("of a later version");
      },
    });
    onTestFinished(() => copy.close());
    await copy.ready;
    await house.draw(1, 20);
    await follower.untilNumber(20);
    expect([loads, later.map(({ ms }) => ms)]).toEqual([1, [750]]);
    later[0]?.run();
    await vi.waitFor(() => expect(copy.state).toBe("live"));
    await house.draw(21, 40);
    await follower.untilNumber(40);
    expect([loads, later.map(({ ms }) => ms)]).toEqual([2, [750, 1_250]]);
    expect(follower.warnings).toEqual(["`reduce` threw; the replica is loaded anew"]);
  });

  it("is refused with what it cannot work with", async () => {
    const house = await House.open();
    const { client } = new Follower({ url: house.url });
    const load = (): never => {
      throw new Error("Expected not to be called");
    };
    expect(() => replica(client, { load, maxHeldEvents: 0 })).toThrow(/maxHeldEvents/);
    expect(() => replica(client, { load: null as never })).toThrow(/load/);
  });
});
