import { describe, expect, it } from "vitest";
import type { RecordStore } from "@starcast/core";
import { codeOf } from "./engine-rig.ts";

/** An engine's records, and what they can do. */
export interface RecordsContract {
  open(): Promise<RecordStore>;
  /** Closes them and opens the same data again. Required when durable. */
  reopen?: ((records: RecordStore) => Promise<RecordStore>) | undefined;
  /** A second process that uses the same records. Required when shared. */
  join?: ((records: RecordStore) => Promise<RecordStore>) | undefined;
  readonly durable: boolean;
  /** Several processes may use them. */
  readonly shared?: boolean | undefined;
}

/** The promises of the `RecordStore` port, as tests: every engine runs them. */
export function describeRecords(name: string, contract: RecordsContract): void {
  describe(`the records of ${name}`, () => {
    it("have nothing at first", async () => {
      const records = await contract.open();
      expect(await records.get("a")).toBeNull();
      expect(await records.list("")).toEqual([]);
      expect(await records.remove("a")).toBe(false);
    });

    it("give back exactly what was put", async () => {
      const records = await contract.open();
      for (const value of ["", "plain", '{"a":"\\u0000"}', "é 😀 \u2028\r\n\0", "x".repeat(200_000)]) {
        const revision = await records.put("a", value);
        expect(await records.get("a")).toEqual({ key: "a", value, revision });
      }
    });

    it("raise the revision with every write, also over a removal", async () => {
      const records = await contract.open();
      const first = await records.put("a", "1");
      const second = await records.put("a", "1");
      expect(await records.remove("a")).toBe(true);
      expect(await records.remove("a")).toBe(false);
      expect(await records.get("a")).toBeNull();
      const third = await records.put("a", "1");
      expect(first).toBeGreaterThan(0);
      expect(second).toBeGreaterThan(first);
      expect(third).toBeGreaterThan(second);
    });

    it("write on a condition only if it holds", async () => {
      const records = await contract.open();
      const first = await records.put("a", "1", { ifRevision: 0 });
      expect(await codeOf(records.put("a", "2", { ifRevision: 0 }))).toBe("stale_claim");
      const second = await records.put("a", "2", { ifRevision: first });
      expect(await codeOf(records.put("a", "3", { ifRevision: first }))).toBe("stale_claim");
      expect(await records.get("a")).toEqual({ key: "a", value: "2", revision: second });
      await records.remove("a");
      expect(await codeOf(records.put("a", "4", { ifRevision: second }))).toBe("stale_claim");
      expect(await records.get("a")).toBeNull();
      await records.put("a", "5", { ifRevision: 0 });
    });

    it("let one of many writers at once have its condition", async () => {
      const records = await contract.open();
      const codes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => codeOf(records.put("a", String(index), { ifRevision: 0 }))),
      );
      expect(codes.filter((code) => code === null)).toHaveLength(1);
      expect(codes.filter((code) => code === "stale_claim")).toHaveLength(9);
    });

    it("list by prefix, ordered by key, and the prefix means itself only", async () => {
      const records = await contract.open();
      for (const key of ["b/2", "a_1", "a", "aX1", "b/1", "b/10", "B/1", "c"]) await records.put(key, key);
      const keys = async (prefix: string) => (await records.list(prefix)).map(({ key }) => key);
      expect(await keys("b/")).toEqual(["b/1", "b/10", "b/2"]);
      expect(await keys("a_")).toEqual(["a_1"]);
      expect(await keys("")).toEqual(["B/1", "a", "aX1", "a_1", "b/1", "b/10", "b/2", "c"]);
      expect(await keys("zzz")).toEqual([]);
    });

    it("refuse keys that some engine could not hold", async () => {
      const records = await contract.open();
      for (const key of ["", "a b", "ключ", "a*", "x".repeat(257)]) {
        expect(await codeOf(records.put(key, "1")), key).toBe("invalid_option");
      }
      await records.put("x".repeat(256), "1");
      await records.put("aZ9/_.-", "1");
    });

    const { reopen, join } = contract;
    if (contract.shared === true)
      it("have a revision that every change raises for every process", async () => {
        const here = await contract.open();
        if (join === undefined) throw new Error("Expected `join` in the contract of a shared engine, got none");
        const there = await join(here);
        const revisions = [await there.revision?.()];
        for (const change of [() => here.put("a", "1"), () => here.put("b", "2"), () => here.remove("a")]) {
          await change();
          revisions.push(await there.revision?.());
        }
        expect(revisions).toEqual(revisions.map(Number).toSorted((a, b) => a - b));
        expect(new Set(revisions).size).toBe(4);
        expect(await here.revision?.()).toBe(revisions[3]);
      });
    else
      it("have no revision that could be mistaken for one that other processes raise", async () => {
        expect((await contract.open()).revision).toBeUndefined();
      });

    if (contract.durable)
      it("are the same when opened again", async () => {
        const records = await contract.open();
        if (reopen === undefined) throw new Error("Expected `reopen` in the contract of a durable engine, got none");
        const revision = await records.put("a", "1");
        const last = await records.put("b", "2");
        await records.remove("b");
        const again = await reopen(records);
        expect(await again.list("")).toEqual([{ key: "a", value: "1", revision }]);
        expect(await again.put("b", "3")).toBeGreaterThan(last);
      });
  });
}
