import { describe, expect, it } from "vitest";
import type { EventLog } from "@starcast/core";
import type { EventLogContract, OpenLog } from "./describe-event-log.ts";
import { draft, drafts } from "./draft.ts";
import { fakeSurroundings } from "./fake-surroundings.ts";

const all = { maxEvents: 10_000, maxBytes: Infinity };

/** What an engine promises that says it is durable. */
export function describeReopenedLog(
  open: OpenLog,
  keep: <Opened extends { close(): unknown }>(opened: Opened) => Opened,
  contract: EventLogContract,
): void {
  const reopen = async (log: EventLog): Promise<EventLog> => {
    if (contract.reopen === undefined)
      throw new Error("Expected `reopen` in the contract of a durable engine, got none");
    return keep(await contract.reopen(log));
  };

  describe("opened again", () => {
    it("says that it is durable", async () => {
      expect((await open()).durability).not.toBe("memory");
    });

    it("is the same log: epoch, events, head, and where it goes on", async () => {
      const log = await open();
      await log.append([draft(1, { subject: "s" }), draft(2), draft(3)]);
      const before = await log.read(0, all);
      const { epoch } = log;
      const again = await reopen(log);
      expect([again.epoch, again.head, again.trimmedThrough]).toEqual([epoch, 3, 0]);
      expect((await again.read(0, all)).map(({ json, timestamp, subject }) => [json, timestamp, subject])).toEqual(
        before.map(({ json, timestamp, subject }) => [json, timestamp, subject]),
      );
      expect(await again.append([draft(4)])).toMatchObject([{ position: { epoch, offset: 4 } }]);
    });

    it("remembers what was trimmed", async () => {
      const log = await open({ retention: { maxEvents: 10, maxBytes: 1_000_000 } });
      for (let first = 1; first <= 40; first += 4) await log.append(drafts(4, first));
      await contract.trim?.(log);
      const { trimmedThrough } = log;
      expect(trimmedThrough).toBeGreaterThan(0);
      const again = await reopen(log);
      expect(again.trimmedThrough).toBeGreaterThanOrEqual(trimmedThrough);
      expect((await again.read(0, all))[0]?.offset).toBe(again.trimmedThrough + 1);
    });

    it("never uses an offset again, even if all events were trimmed before it was closed", async () => {
      const log = await open({ retention: { maxEvents: 2, maxBytes: 1_000_000 } });
      for (let count = 0; count < 9; count += 1) await log.append([draft()]);
      await contract.trim?.(log);
      const again = await reopen(log);
      expect(await again.append([draft()])).toMatchObject([{ position: { offset: 10 } }]);
    });

    it("remembers dedupe keys", async () => {
      const log = await open({ surroundings: fakeSurroundings() });
      const [first] = await log.append([draft(1, { dedupeKey: "a" })]);
      const again = await reopen(log);
      expect(await again.append([draft(2, { dedupeKey: "a" })])).toEqual([{ ...first, isDuplicate: true }]);
    });
  });

  const { regress } = contract;
  if (regress === undefined) return;
  describe("opened after it lost acknowledged events", () => {
    it("starts a new epoch, so that no id is used for other content", async () => {
      const log = await open();
      await log.append(drafts(5));
      const { epoch } = log;
      const again = keep(await regress(log));
      expect(again.epoch).not.toBe(epoch);
      const [next] = await again.append([draft("new")]);
      expect(next?.position.epoch).toBe(again.epoch);
    });
  });
}
