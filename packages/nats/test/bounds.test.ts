import { realSurroundings } from "@starcast/core";
import { expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { DeliveredEvents } from "../src/delivered-events.ts";
import { Markers, maxMarkers } from "../src/markers.ts";
import type { Item } from "../src/page-reader.ts";
import { maxReaders, ReaderPool } from "../src/reader-pool.ts";
import { useBuckets } from "./use-buckets.ts";

const largestPayload = 16_777_216;

describeWith("nats-server", "what a store keeps at hand", (program) => {
  const buckets = useBuckets(program, `max_payload: ${largestPayload}`);
  const openPool = (): ReaderPool<Item> =>
    new ReaderPool({
      link: buckets.link,
      scheduler: realSurroundings.scheduler,
      stream: "KV_kept",
      timeoutMs: 15_000,
      decode: ({ data }, { sequence }) => ({ offset: sequence, sizeBytes: data.length }),
    });
  const keysThere = async (): Promise<number> => (await buckets.info()).state.messages;

  it("are so many readers, the latest used: who reads on gets one of them", async () => {
    const bucket = await buckets.open();
    await Promise.all(Array.from({ length: 40 }, (_, index) => bucket.put(`key-${index}`, "x")));
    const pool = openPool();
    const readAt = async (after: number): Promise<number | undefined> =>
      (await pool.read(after, 40, { maxEvents: 1, maxBytes: Infinity }))[0]?.offset;
    for (let after = 0; after < 2 * (maxReaders + 4); after += 2) expect(await readAt(after)).toBe(after + 1);
    const consumers = async (): Promise<number> => (await buckets.info()).state.consumer_count;
    await expect.poll(consumers).toBe(maxReaders);
    const newest = 2 * (maxReaders + 4) - 1;
    for (let after = newest; after < newest + 5; after += 1) expect(await readAt(after)).toBe(after + 1);
    expect(await consumers()).toBe(maxReaders);
    pool.close();
    await expect.poll(consumers).toBe(0);
  });

  it("are so many bytes read ahead, whatever is large; one that alone is larger is read as well", async () => {
    const bucket = await buckets.open();
    const sizes = [1, 900_000, 10_000_000, 1, ...Array.from({ length: 40 }, () => 1_000_000), 9_000_000, 9_000_000];
    for (const [index, size] of sizes.entries()) await bucket.put(`key-${index}`, "x".repeat(size));
    const { connection } = buckets.link;
    const pool = openPool();
    const before = connection.stats().inBytes;
    let readBytes = 0;
    for (const [index, size] of sizes.entries()) {
      const [read] = await pool.read(index, sizes.length, { maxEvents: 1, maxBytes: Infinity });
      expect(read).toEqual({ offset: index + 1, sizeBytes: size });
      readBytes += size;
      await connection.flush();
      // What is at hand, and what was asked for meanwhile.
      expect(connection.stats().inBytes - before - readBytes).toBeLessThan(2 * 8_388_608);
    }
    pool.close();
  });

  it("are so many bytes of delivered events; the others are read again", async () => {
    const bucket = await buckets.open();
    const events = new DeliveredEvents(bucket, 20_000);
    const kept = Array.from({ length: 10 }, (_, index) => ({
      id: `e-${index}`,
      type: "test.happened",
      subject: undefined,
      timestamp: "2026-01-01T00:00:00.000Z",
      json: JSON.stringify("x".repeat(2_000)),
    }));
    await events.keep(kept);
    expect(events.cachedBytes).toBeLessThanOrEqual(20_000);
    for (const event of kept) expect(await events.get(event.id)).toEqual(event);
    expect(events.cachedBytes).toBeLessThanOrEqual(20_000);
    expect(await events.get("e-10")).toBeNull();
  });

  it("are so many marks of removals; one that is not known stays, and one that is written again", async () => {
    const bucket = await buckets.open();
    let now = 0;
    const markers = new Markers(bucket, { now: () => now });
    for (const key of ["forgotten", "seen", "again", "late"]) {
      const removed = await bucket.remove(key, await bucket.put(key, "x"));
      if (key === "late") now += 300_000;
      markers.left(key, removed);
    }
    await bucket.put("again", "y", 0);
    for (let index = 0; index < maxMarkers - 3; index += 1) markers.left(`other-${index}`, 1);
    now += 1;
    await markers.purge(2);
    expect(await keysThere()).toBe(3);
    expect(await bucket.get("seen")).toBeNull();
    expect(await bucket.get("forgotten")).toMatchObject({ value: null });
    expect(await bucket.get("again")).toMatchObject({ value: "y" });
    expect(await bucket.get("late")).toMatchObject({ value: null });
  });
});
