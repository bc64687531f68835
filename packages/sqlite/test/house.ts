import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realSurroundings, type EventDraft, type StoredEvent } from "@starcast/core";
import { draft, fakeSurroundings, type FakeSurroundings } from "@starcast/testing";
import { afterEach } from "vitest";
import { openDriver, type Driver } from "../src/driver.ts";
import { SqliteStore, type SqliteOptions } from "../src/index.ts";

export const all = { maxEvents: 10_000, maxBytes: Infinity };

export interface House {
  readonly folder: string;
  readonly path: string;
  open(options?: SqliteOptions, path?: string): Promise<SqliteStore>;
  /** The file as any other program would open it. */
  edit(change: (driver: Driver) => void, path?: string): Promise<void>;
}

/** A folder per test; stores and folder are gone when it ends. Call it inside a `describe`. */
export function houseOfFiles(): () => House {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "starcast-sqlite-"));
    const path = join(folder, "catalog.db");
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    return {
      folder,
      path,
      open: async (options = {}, other = path) => {
        const store = await SqliteStore.open(other, options);
        ends.push(() => store.close());
        return store;
      },
      edit: async (change, other = path) => {
        const driver = await openDriver(other);
        try {
          change(driver);
        } finally {
          driver.close();
        }
      },
    };
  };
}

/** Time is the test's, turns are the event loop's. */
export function ownTime(startsAt?: number): FakeSurroundings {
  return fakeSurroundings(1, { turns: "real", startsAt });
}

export { realSurroundings };

/** A draft no column takes: what fails inside the transaction. */
export function unusableDraft(): EventDraft {
  return { ...draft("unusable"), type: null as unknown as string };
}

export function numbersOf(events: readonly StoredEvent[]): readonly unknown[] {
  return events.map(({ json }) => JSON.parse(json));
}

export async function outcomeOf<Result>(promise: Promise<Result>): Promise<Result | string> {
  try {
    return await promise;
  } catch (error) {
    return typeof error === "object" && error !== null && "code" in error
      ? String(error.code)
      : `untyped: ${String(error)}`;
  }
}

/** What fails is the end of a transaction, when all its works are done; until the trigger `broken` is dropped. */
export function noMeta(driver: Driver): void {
  driver.exec("CREATE TRIGGER broken BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'broken'); END");
}
