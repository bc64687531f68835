import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { describeCheckpoints, describeDeliveries, describeEventLog, describeRecords, draft } from "@starcast/testing";
import { realSurroundings, type EventLog, type Surroundings } from "@starcast/core";
import { SqliteStore } from "./sqlite-store.ts";

// Files are opened by the hundred: a guard against a hang, which a busy disk must not reach.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), "starcast-sqlite-"));
const opened = new Map<
  unknown,
  { readonly store: SqliteStore; readonly path: string; readonly options: Parameters<typeof SqliteStore.open>[1] }
>();
let count = 0;

afterAll(async () => {
  await Promise.all([...opened.values()].map(({ store }) => store.close()));
  rmSync(folder, { recursive: true });
});

/** The clock is the test's, turns are the real ones: nobody drives the scheduler of a test that only awaits. */
function turning(surroundings: Surroundings): Surroundings {
  return { ...surroundings, scheduler: realSurroundings.scheduler };
}

async function open<Part extends keyof Pick<SqliteStore, "log" | "checkpoints" | "deliveries" | "records">>(
  part: Part,
  options: NonNullable<Parameters<typeof SqliteStore.open>[1]>,
  path: string = join(folder, `${(count += 1)}.db`),
): Promise<SqliteStore> {
  const store = await SqliteStore.open(path, {
    ...options,
    ...(options.surroundings && { surroundings: turning(options.surroundings) }),
  });
  opened.set(store[part], { store, path, options });
  return store;
}

async function reopen(part: "log" | "checkpoints" | "deliveries" | "records", key: unknown): Promise<SqliteStore> {
  const known = opened.get(key);
  if (known === undefined) throw new Error("Expected something that was opened here");
  await known.store.close();
  return open(part, known.options ?? {}, known.path);
}

/** A copy of before the last events is put back, as a snapshot of the disk would be. */
async function regress(log: EventLog): Promise<EventLog> {
  const known = opened.get(log);
  if (known === undefined) throw new Error("Expected something that was opened here");
  const { path, options, store } = known;
  const copy = `${path}-copy`;
  for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  await store.log.append([draft("lost")]);
  await store.close();
  for (const suffix of ["", "-wal"]) if (existsSync(copy + suffix)) copyFileSync(copy + suffix, path + suffix);
  return (await open("log", options ?? {}, path)).log;
}

describeEventLog("SqliteStore", {
  durable: true,
  shared: false,
  open: async (request) => (await open("log", request)).log,
  reopen: async (log) => (await reopen("log", log)).log,
  regress,
  trim: (log) => (log as SqliteStore["log"]).trim(),
});
describeCheckpoints("SqliteStore", {
  durable: true,
  exclusive: true,
  open: async (request) => (await open("checkpoints", request)).checkpoints,
  reopen: async (checkpoints) => (await reopen("checkpoints", checkpoints)).checkpoints,
});
describeRecords("SqliteStore", {
  durable: true,
  open: async () => (await open("records", {})).records,
  reopen: async (records) => (await reopen("records", records)).records,
});
describeDeliveries("SqliteStore", {
  durable: true,
  exclusive: true,
  open: async (request) => open("deliveries", request),
  reopen: async ({ deliveries }) => reopen("deliveries", deliveries),
});
