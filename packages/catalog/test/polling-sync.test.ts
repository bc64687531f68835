import { CatalogSync, catalogEvents } from "@starcast/catalog";
import type { Model } from "@starcast/catalog";
import { Broker, realSurroundings } from "@starcast/core";
import type { Surroundings } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { model } from "./lives.ts";

describe("a sync that polls", () => {
  it("asks at once, then an interval after each answer", async () => {
    const { delays, polls } = await polled([["a/a"], ["a/a"], ["a/b"]], { chance: 0.5 });
    expect(delays).toEqual([0, 60_000, 60_000, 60_000]);
    expect(polls).toEqual(["baseline", "unchanged", "published"]);
  });

  it("asks again soon after a failure, later after each further one, never later than the interval", async () => {
    const { delays } = await polled([["a/a"], null, null, null, null, null, null, null, null, ["a/a"]], { chance: 1 });
    expect(delays).toEqual([0, 66_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 66_000]);
  });

  it("spreads over time what started at the same time", async () => {
    expect((await polled([["a/a"], null], { chance: 0 })).delays).toEqual([0, 54_000, 500]);
  });
});

describe("a closing broker", () => {
  it("lets changes that are being published reach its subscribers", async () => {
    const broker = new Broker({ events: catalogEvents, observe: [] });
    const seen: string[] = [];
    broker.subscribe((event) => void seen.push(event.type));
    const sync = new CatalogSync(broker, {
      source: () => Array.from({ length: 200 }, (_, index) => model(`a/m${index}`)),
      firstLoad: "publish",
      intervalMs: false,
    });
    const syncing = sync.sync();
    while (broker.eventsPublished < 10) await new Promise(setImmediate);
    await broker.close();
    expect(await syncing).toMatchObject({ kind: "published", added: 200 });
    expect(seen).toHaveLength(202);
    expect(seen.at(-1)).toBe("sync.completed");
    expect(sync.status.state).toBe("stopped");
  });

  it("does not wait for a source that is being asked", async () => {
    const broker = new Broker({ observe: [] });
    const sync = new CatalogSync(broker, { source: () => new Promise<readonly Model[]>(() => undefined) });
    const syncing = sync.sync();
    await broker.close();
    await expect(syncing).rejects.toMatchObject({ code: "broker_closed" });
    await expect(sync.sync()).rejects.toMatchObject({ code: "broker_closed" });
  });

  it("is not held by a sync that closed before it, whose name is then free", async () => {
    const broker = new Broker({ observe: [] });
    const options = { source: () => [model("a/a")], intervalMs: 60_000 };
    const sync = new CatalogSync(broker, options);
    await Promise.all([sync.close(), sync.close()]);
    new CatalogSync(broker, options);
    await broker.close();
  });
});

// Timers that stand beside the poll's own, told apart by their length.
const sourceTimeoutMs = 86_400_000;
const leaseMs = 10_000;

/** Polls until every answer (null: a failure) was given, with timers that fire when they are looked at. */
async function polled(
  answers: readonly (readonly string[] | null)[],
  { chance }: { readonly chance: number },
): Promise<{ delays: number[]; polls: string[] }> {
  const delays: number[] = [];
  const polls: string[] = [];
  let due: (() => void) | null = null;
  let isOver = false;
  const surroundings: Surroundings = {
    ...realSurroundings,
    random: { next: () => chance },
    scheduler: {
      ...realSurroundings.scheduler,
      after: (ms, run, options) => {
        if (isOver || ms === sourceTimeoutMs || ms === leaseMs / 3) {
          return realSurroundings.scheduler.after(ms, run, options);
        }
        delays.push(ms);
        due = run;
        return { cancel: () => undefined };
      },
    },
  };
  const broker = new Broker({
    surroundings,
    observe: [(moment) => void (moment.kind === "catalogSynced" && polls.push(moment.report.kind))],
  });
  let asked = 0;
  new CatalogSync(broker, {
    sourceTimeoutMs,
    source: () => {
      const answer = answers[asked++];
      if (answer === null || answer === undefined) throw new Error("down");
      return answer.map((key) => model(key));
    },
  });
  while (asked < answers.length || due === null) {
    const run: (() => void) | null = due;
    due = null;
    if (run !== null) (run as () => void)();
    await new Promise(setImmediate);
  }
  isOver = true;
  await broker.close();
  return { delays, polls };
}
