import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventDraft } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { interleave, ratio, type Measures } from "../interleave.ts";
import { openBare, prepareTable } from "../sqlite/bare-driver.ts";
import type { Row, Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

/** Appended in one turn of the event loop, hence in one transaction. */
const perCommit = 100;
/** What catch-up reads at once. */
const page = { maxEvents: 256, maxBytes: Infinity };

const json = JSON.stringify({ model: { id: "openai/gpt-x", name: "GPT X", note: "x".repeat(170) }, changes: [] });
const draft: EventDraft = {
  type: "model.updated",
  subject: "openai/gpt-x",
  json,
  sizeBytes: json.length + 25,
  dedupeKey: undefined,
};

/** Appending and reading beside the driver by itself, and opening a long log beside an empty one. Nanoseconds per event. */
export const suite: Suite = async ({ isQuick, say }) => {
  const folder = await mkdtemp(join(tmpdir(), "starcast-bench-"));
  const rounds = isQuick ? 5 : 15;
  const rows: Row[] = [];
  const ratios: Record<string, number> = {};
  try {
    for (const durability of ["process", "disk"] as const) {
      say(`sqlite: append, ${durability}`);
      const measures = await appending(folder, durability, rounds, isQuick ? 50 : 200);
      rows.push(...rowsOf(`append of ${perCommit}, ${durability}`, measures, "ns"));
      ratios[`sqlite.append100.${durability}.vsDriver`] = ratio(measures, "driver", "starcast");
    }
    say("sqlite: read");
    const reading = await readingPages(folder, rounds, isQuick ? 20_000 : 100_000);
    rows.push(...rowsOf("read, pages of 256", reading, "ns"));
    ratios["sqlite.read.vsDriver"] = ratio(reading, "driver", "starcast");
    const count = isQuick ? 100_000 : 1_000_000;
    say(`sqlite: open a log of ${count.toLocaleString("en-US")} events`);
    const opening = await openings(folder, rounds, count);
    rows.push(...rowsOf("open", opening, "us"));
    ratios["sqlite.reopen1M.vsEmpty"] = ratio(opening, `${count} events`, "empty");
    return { rows, ratios, rounds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function appending(
  folder: string,
  durability: "process" | "disk",
  rounds: number,
  commits: number,
): Promise<Measures> {
  const store = await SqliteStore.open(join(folder, `append-${durability}.db`), { durability });
  const { database } = await openBare(join(folder, `append-bare-${durability}.db`));
  prepareTable(database, durability);
  const insert = database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)");
  const drafts = Array.from({ length: perCommit }, () => draft);
  let offset = 0;
  const measures = await interleave(
    {
      starcast: () => timed(commits * perCommit, () => repeat(commits, () => store.log.append(drafts))),
      // One transaction per turn, too.
      driver: () =>
        timed(commits * perCommit, () =>
          repeat(commits, async () => {
            await new Promise((resolve) => setImmediate(resolve));
            database.exec("BEGIN IMMEDIATE");
            const timestamp = new Date().toISOString();
            for (const { type, subject, json: text, sizeBytes } of drafts)
              insert.run((offset += 1), type, subject ?? null, timestamp, sizeBytes, 0, text);
            database.exec("COMMIT");
          }),
        ),
    },
    rounds,
  );
  await store.close();
  database.close();
  return measures;
}

async function readingPages(folder: string, rounds: number, count: number): Promise<Measures> {
  const file = join(folder, "read.db");
  const store = await SqliteStore.open(file);
  await fill(store, count);
  const { database } = await openBare(file);
  const select = database.prepare(
    "SELECT offset, type, subject, timestamp, size, json FROM events WHERE offset > ? ORDER BY offset LIMIT ?",
  );
  const measures = await interleave(
    {
      starcast: () =>
        timed(count, async () => {
          for (let after = 0; after < count; after += page.maxEvents) await store.log.read(after, page);
        }),
      driver: () =>
        timed(count, async () => {
          for (let after = 0; after < count; after += page.maxEvents) {
            select.all(after, page.maxEvents);
            await Promise.resolve();
          }
        }),
    },
    rounds,
  );
  database.close();
  await store.close();
  return measures;
}

async function openings(folder: string, rounds: number, count: number): Promise<Measures> {
  const full = join(folder, "full.db");
  const empty = join(folder, "empty.db");
  const store = await SqliteStore.open(full);
  await fill(store, count);
  await store.close();
  await (await SqliteStore.open(empty)).close();
  const open = async (file: string): Promise<number> => {
    const started = performance.now();
    const opened = await SqliteStore.open(file);
    const us = (performance.now() - started) * 1_000;
    await opened.close();
    return us;
  };
  return interleave({ [`${count} events`]: () => open(full), empty: () => open(empty) }, rounds);
}

async function fill(store: SqliteStore, count: number): Promise<void> {
  const drafts = Array.from({ length: 1_000 }, () => draft);
  for (let filled = 0; filled < count; filled += drafts.length) await store.log.append(drafts);
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < times; done += 1) await run();
}

async function timed(count: number, run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return ((performance.now() - started) * 1e6) / count;
}
