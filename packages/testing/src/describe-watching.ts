import { describe, expect, it } from "vitest";
import type { EventLogContract, OpenLog } from "./describe-event-log.ts";
import { draft, drafts } from "./draft.ts";

/** The promises of `watch`. */
export function describeWatching(open: OpenLog, { shared }: EventLogContract): void {
  describe("watch", () => {
    it("calls with every committed event, in order, once, from the moment of the call", async () => {
      const log = await open();
      await log.append(drafts(2));
      const seen: number[] = [];
      log.watch((events) => seen.push(...events.map(({ offset }) => offset)));
      await log.append(drafts(3, 3));
      await Promise.all([log.append(drafts(2, 6)), log.append([draft()])]);
      if (shared) await log.refresh();
      expect(seen).toEqual([3, 4, 5, 6, 7, 8]);
    });

    it("has moved the head before it calls", async () => {
      const log = await open();
      const behind: number[] = [];
      log.watch((events) => {
        const last = events.at(-1)?.offset ?? 0;
        if (log.head < last) behind.push(last);
      });
      for (let count = 1; count <= 5; count += 1) await log.append(drafts(count));
      expect(behind).toEqual([]);
    });

    it("calls also for what `commit` keeps within the call, which does what `append` of one draft does", async () => {
      const log = await open();
      if (log.commit === undefined) return;
      const told: number[] = [];
      log.watch((events) => told.push(...events.map(({ offset }) => offset)));
      await log.append([draft(1)]);
      const committed = log.commit(draft(2));
      expect([committed.offset, log.head, told]).toEqual([2, 2, [1, 2]]);
      await log.append([draft(3)]);
      const stored = await log.read(0, { maxEvents: 10, maxBytes: Infinity });
      expect(stored.map(({ json }) => json)).toEqual(["1", "2", "3"]);
      expect(stored[1]).toMatchObject({ offset: 2, timestamp: committed.timestamp });
      await log.close();
      expect(() => log.commit?.(draft(4))).toThrow(expect.objectContaining({ code: "log_closed" }));
    });

    it("does not call with a duplicate", async () => {
      const log = await open();
      const seen: number[] = [];
      log.watch((events) => seen.push(...events.map(({ offset }) => offset)));
      await log.append([draft(1, { dedupeKey: "a" })]);
      await log.append([draft(1, { dedupeKey: "a" })]);
      await log.append([draft(2)]);
      expect(seen).toEqual([1, 2]);
    });

    it("calls every watcher, and none of those that stopped", async () => {
      const log = await open();
      const seen: string[] = [];
      const watcher = (name: string) => (): void => void seen.push(name);
      const stopFirst = log.watch(watcher("first"));
      const stopSecond = log.watch(watcher("second"));
      await log.append([draft()]);
      stopFirst();
      stopFirst();
      await log.append([draft()]);
      stopSecond();
      await log.append([draft()]);
      expect(seen).toEqual(["first", "second", "second"]);
    });

    it("keeps two watches of one function apart", async () => {
      const log = await open();
      let calls = 0;
      const count = (): void => void (calls += 1);
      const stop = log.watch(count);
      log.watch(count);
      stop();
      await log.append([draft()]);
      expect(calls).toBe(1);
    });

    it("tells watchers in order, even when one of them appends", async () => {
      const log = await open();
      const seen: Record<"first" | "last", number[]> = { first: [], last: [] };
      const appends: Promise<unknown>[] = [];
      log.watch((events) => {
        seen.first.push(...events.map(({ offset }) => offset));
        if (appends.length < 3) appends.push(log.append([draft("from inside")]));
      });
      log.watch((events) => void seen.last.push(...events.map(({ offset }) => offset)));
      await log.append(drafts(2));
      // An engine that commits later is told of each only then, and appends the next one.
      for (let told = 0; told < appends.length; told += 1) await appends[told];
      if (shared) await log.refresh();
      expect(seen.first).toEqual([1, 2, 3, 4, 5]);
      expect(seen.last).toEqual([1, 2, 3, 4, 5]);
    });

    it("may be stopped from inside the call", async () => {
      const log = await open();
      const seen: number[] = [];
      const stop = log.watch((events) => {
        seen.push(...events.map(({ offset }) => offset));
        stop();
      });
      await log.append([draft()]);
      await log.append([draft()]);
      expect(seen).toEqual([1]);
    });

    if (!shared)
      it("calls before `append` resolves", async () => {
        const log = await open();
        const order: string[] = [];
        log.watch(() => order.push("watch"));
        await log.append([draft()]).then(() => order.push("append"));
        expect(order).toEqual(["watch", "append"]);
      });
  });
}
