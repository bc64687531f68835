import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { draft, seededRandom } from "@starcast/testing";
import { afterEach, describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { openDriver } from "../src/driver.ts";
import { all, houseOfFiles, outcomeOf } from "./house.ts";
import { WriterProcess, type WriterOptions } from "./writer-process.ts";

const rounds = Number(process.env["STARCAST_ROUNDS"] ?? 50);
const house = houseOfFiles();
const writers: WriterProcess[] = [];

afterEach(async () => {
  await Promise.all(writers.splice(0).map((writer) => writer.kill()));
});

function write(options: WriterOptions): WriterProcess {
  const writer = new WriterProcess(options);
  writers.push(writer);
  return writer;
}

describe("a writer killed with -9 under load", () => {
  it(`loses nothing acknowledged, repeats nothing, and keeps its epoch (${rounds} rounds)`, async () => {
    const { open, path } = house();
    const random = seededRandom(Number(process.env["STARCAST_SEED"] ?? 1));
    const acknowledged = new Map<string, number>();
    let again: readonly string[] = [];
    let epoch = "";
    for (let run = 1; run <= rounds; run += 1) {
      const writer = write({ path, run, again, durability: random.integer(0, 3) === 0 ? "disk" : "process" });
      // Now and then before it could write at all.
      const enough = random.integer(0, 9) === 0 ? 0 : random.integer(1, 200);
      await writer.until(() => writer.epoch !== "" && writer.acknowledged.length >= enough);
      await writer.kill();
      epoch ||= writer.epoch;
      again = writer.published.slice(-50);
      for (const { offset, payload, epoch: named } of writer.acknowledged) {
        expect(named).toBe(epoch);
        expect(acknowledged.get(payload) ?? offset).toBe(offset);
        acknowledged.set(payload, offset);
      }

      const store = await open({ bootId: "boot-1" });
      expect(store.log.epoch).toBe(epoch);
      const kept = new Map<string, number>();
      for (let after = 0; after < store.log.head;) {
        const events = await store.log.read(after, all);
        for (const { offset, json } of events) {
          expect(offset).toBe(after + 1);
          after = offset;
          const payload: unknown = JSON.parse(json);
          expect(kept.has(String(payload))).toBe(false);
          kept.set(String(payload), offset);
        }
      }
      for (const [payload, offset] of acknowledged) expect([payload, kept.get(payload)]).toEqual([payload, offset]);
      // The place moved with the deliveries, never without.
      const place = await store.checkpoints.load(`delivered-${run}`);
      const { deliveries } = await store.deliveries.list({ endpointId: `endpoint-${run}` }, { limit: 1 });
      expect(deliveries[0]?.event.id ?? null).toBe(place === null ? null : `${place.epoch}-${place.offset}`);
      await store.close();
    }
    expect(acknowledged.size).toBeGreaterThan(rounds);
  });

  it("keeps others out while it lives, and leaves no lock behind", async () => {
    const { open, path } = house();
    const writer = write({ path, run: 1 });
    await writer.until(() => writer.acknowledged.length > 0);
    expect(await outcomeOf(open())).toBe("store_locked");
    await writer.kill();
    expect((await open({ bootId: "boot-1" })).log.head).toBeGreaterThan(0);
  });

  it("begins a new epoch when the machine has started anew since, but for one that wrote to disk", async () => {
    const { open, folder } = house();
    const epochs: Record<string, boolean> = {};
    for (const durability of ["process", "disk"] as const) {
      const path = join(folder, `${durability}.db`);
      const writer = write({ path, run: 1, durability });
      await writer.until(() => writer.acknowledged.length > 50);
      await writer.kill();
      const store = await open({ bootId: "boot-2" }, path);
      epochs[durability] = store.log.epoch === writer.epoch;
    }
    expect(epochs).toEqual({ process: false, disk: true });
  });
});

describeWith("sqlite3", "the sqlite3 shell beside a writer", (sqlite3) => {
  it("reads what is committed while more is written, also what the README shows", async () => {
    const { path } = house();
    const writer = write({ path, run: 1 });
    await writer.until(() => writer.acknowledged.length > 100);
    const known = writer.acknowledged.length;
    const { stdout } = await promisify(execFile)(sqlite3, ["-readonly", path, "SELECT count(*) FROM events"]);
    expect(Number(stdout)).toBeGreaterThanOrEqual(known);
    const more = writer.acknowledged.length;
    await writer.until(() => writer.acknowledged.length > more + 100);
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const queries = /```sql\n(.*?)```/s.exec(readme)?.[1]?.trim().split("\n") ?? [];
    expect(queries).toHaveLength(5);
    const answers = await Promise.all(queries.map((query) => promisify(execFile)(sqlite3, ["-readonly", path, query])));
    expect(answers.filter((answer) => answer.stdout !== "")).toHaveLength(4);
  });
});

describe("the WAL of a busy store", () => {
  it("stays small, and is cut again after a reader that stayed long", async () => {
    const { open, path } = house();
    const { log } = await open();
    const large = Array.from({ length: 20 }, () => draft("x".repeat(5_000)));
    const burst = async (count: number): Promise<number> => {
      for (let round = 0; round < count; round += 1) await log.append(large);
      return statSync(`${path}-wal`).size;
    };
    expect(await burst(200)).toBeLessThan(17_000_000);
    const reader = await openDriver(path);
    reader.exec("BEGIN");
    expect(reader.prepare("SELECT count(*) AS count FROM events").get()).toMatchObject({ count: 4_000 });
    expect(await burst(250)).toBeGreaterThan(20_000_000);
    reader.exec("COMMIT");
    reader.close();
    expect(await burst(50)).toBeLessThan(17_000_000);
  });
});

describeWith("strace", "fsyncs as the system counts them", (strace) => {
  async function fsyncs(durability: "process" | "disk", commits: number): Promise<number> {
    const { path, folder } = house();
    const trace = join(folder, "trace");
    const under = [strace, "-f", "-qq", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", trace];
    const writer = write({ path, run: 7, durability, commits, under });
    await writer.end();
    return readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => /f(data)?sync\(.*= 0/.test(line)).length;
  }

  it("are one per acknowledged commit for `disk`, and none for `process`", async () => {
    // Each commit of the child is one of the log and one of the deliveries; opening and closing cost the same in both.
    const more = { disk: 0, process: 0 };
    for (const durability of ["disk", "process"] as const) {
      more[durability] = (await fsyncs(durability, 60)) - (await fsyncs(durability, 20));
    }
    expect(more.disk).toBeGreaterThanOrEqual(80);
    expect(more.disk).toBeLessThanOrEqual(90);
    expect(more.process).toBeLessThanOrEqual(4);
  });
});
