import { realSurroundings, type Scheduler } from "@starcast/core";
import { jetstreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { useBuckets } from "./use-buckets.ts";

describeWith("nats-server", "a bucket", (program) => {
  const buckets = useBuckets(program);

  it("writes where there is no value, though the mark of a removal is taken out meanwhile", async () => {
    const bucket = await buckets.open();
    const removal = await bucket.remove("a", await bucket.put("a", "x"));
    const { streams } = buckets.link.manager;
    const truth = streams.getMessage.bind(streams);
    streams.getMessage = async (...args) => {
      await bucket.purge("a", removal);
      return truth(...args);
    };
    await bucket.put("a", "y", 0);
    streams.getMessage = truth;
    expect(await bucket.get("a")).toMatchObject({ value: "y" });
    await expect(bucket.put("a", "z", 0)).rejects.toMatchObject({ code: "stale_claim" });
  });

  // So it is when the server stands still while a follower begins, and goes on.
  it("is followed once, though the beginning had to be tried again before it was answered", async () => {
    const bucket = await buckets.open({ scheduler: quick });
    await bucket.put("a", "x");
    const { consumers } = buckets.link.manager;
    const truth = consumers.add.bind(consumers);
    const held: (() => void)[] = [];
    consumers.add = async (...args) => {
      await new Promise<void>((resolve) => {
        held.push(resolve);
      });
      return truth(...args);
    };
    const seen: string[] = [];
    const following = bucket.follow(({ key }) => void seen.push(key));
    await expect.poll(() => held.length).toBe(2);
    for (const answer of held.toReversed()) answer();
    consumers.add = truth;
    await following;
    await bucket.put("b", "x");
    await expect.poll(() => seen).toEqual(["a", "b"]);
  });

  it("is followed also where JetStream takes longer to begin than it may be silent", async () => {
    const bucket = await buckets.open({ scheduler: quick });
    await bucket.put("a", "x");
    const { consumers } = buckets.link.manager;
    const truth = consumers.add.bind(consumers);
    consumers.add = (...args) =>
      new Promise((resolve, reject) => {
        setTimeout(() => void truth(...args).then(resolve, reject), 650);
      });
    const seen: string[] = [];
    await bucket.follow(({ key }) => void seen.push(key));
    await expect.poll(() => seen, { timeout: 25_000 }).toEqual(["a"]);
  });

  // A follower may not have come back when a write is acknowledged, and JetStream may lose that write.
  it.each(["followed", "asked for its revision"])(
    "tells of a tail that was lost when it is %s, also where it was written here alone",
    async (what) => {
      const seen: string[] = [];
      const bucket = await buckets.open({ onTailLost: ({ code }) => void seen.push(code) });
      await bucket.put("a", "x");
      const written = (): Promise<unknown> => bucket.put("b", "x").catch(String);
      const { server } = buckets;
      await server.loseWhat(() => expect.poll(written).toBe(2));
      await server.start();
      const ends = (): Promise<unknown> => buckets.info().then(({ state }) => state.last_seq, String);
      await expect.poll(ends).toBe(1);
      if (what === "followed") {
        await bucket.follow(({ key }) => void seen.push(key));
        await expect.poll(() => seen).toEqual(["a"]);
        await server.stop();
        await server.start();
        await expect.poll(() => seen).toEqual(["a", "store_corrupt"]);
      } else {
        await expect(bucket.revision()).rejects.toMatchObject({ code: "store_corrupt" });
        expect(seen).toEqual(["store_corrupt"]);
      }
    },
  );

  it.each([
    ["max_age", { max_age: nanos(60_000) }],
    ["history", { max_msgs_per_subject: 5 }],
    ["storage", { storage: "memory" as const }],
    ["discard", { discard: "old" as const }],
    ["subjects", { subjects: ["$KV.kept.a"] }],
  ])("is refused for its %s", async (what, wrong) => {
    const { streams } = await jetstreamManager(buckets.link.connection);
    const good = { name: "KV_kept", subjects: ["$KV.kept.>"], max_msgs_per_subject: 1, discard: "new" as const };
    await streams.add({ ...good, ...wrong });
    await expect(buckets.open()).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(what) as string,
    });
  });

  it("is read no further when the connection is closed, though nothing came", async () => {
    const bucket = await buckets.open();
    await bucket.put("a", "x");
    const { connection } = buckets.link;
    const truth = connection.publish.bind(connection);
    // Nobody answers, and who asked waits.
    const isAsked = new Promise<void>((resolve) => {
      connection.publish = (subject, ...rest) => {
        if (subject.includes(".MSG.NEXT.")) setImmediate(resolve);
        else truth(subject, ...rest);
      };
    });
    const reading = bucket.entries().catch((error: unknown) => error);
    await isAsked;
    connection.publish = truth;
    const started = performance.now();
    await buckets.link.close();
    expect(await reading).toMatchObject({ code: "log_closed" });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

const quick: Scheduler = {
  nextTurn: (run) => realSurroundings.scheduler.nextTurn(run),
  after: (ms, run) => realSurroundings.scheduler.after(ms / 4, run),
};
