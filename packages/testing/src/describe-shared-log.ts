import { describe, expect, it } from "vitest";
import type { EventLog } from "@starcast/core";
import type { EventLogContract, OpenLog } from "./describe-event-log.ts";
import { drafts } from "./draft.ts";

/** What an engine promises that says several processes may append to one log. */
export function describeSharedLog(
  open: OpenLog,
  keep: <Opened extends { close(): unknown }>(opened: Opened) => Opened,
  contract: EventLogContract,
): void {
  const join = async (log: EventLog): Promise<EventLog> => {
    if (contract.join === undefined) throw new Error("Expected `join` in the contract of a shared engine, got none");
    return keep(await contract.join(log));
  };

  describe("shared by two processes", () => {
    it("is one log of one epoch", async () => {
      const here = await open();
      await here.append(drafts(3));
      const there = await join(here);
      await there.refresh();
      expect([there.epoch, there.head]).toEqual([here.epoch, 3]);
    });

    it("shows each the other's events, in the order of the log, once", async () => {
      const here = await open();
      const there = await join(here);
      const seen = { here: collect(here, 40), there: collect(there, 40) };
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          await here.append(drafts(2, index));
          await there.append(drafts(2, 100 + index));
        }),
      );
      const wanted = Array.from({ length: 40 }, (_, index) => index + 1);
      expect(await seen.here).toEqual(wanted);
      expect(await seen.there).toEqual(wanted);
    });

    it("knows after `refresh` what the other has committed", async () => {
      const here = await open();
      const there = await join(here);
      await there.append(drafts(4));
      expect(await here.refresh()).toMatchObject({ head: 4 });
      expect(here.head).toBe(4);
    });
  });
}

/** Resolves with the offsets seen when there are so many. */
function collect(log: EventLog, count: number): Promise<readonly number[]> {
  const offsets: number[] = [];
  return new Promise((resolve) => {
    log.watch((events) => {
      offsets.push(...events.map(({ offset }) => offset));
      if (offsets.length >= count) resolve(offsets);
    });
  });
}
