import { InvalidOptionError, StarcastError } from "@starcast/core";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { openDriver, type Driver } from "./driver.ts";
import { isOurs, migrate } from "./schema.ts";
import { toStoreError } from "./sql-error.ts";

/** The one name of a file: two stores that reach it by different ways meet at its lock. */
export function resolvePath(path: unknown): string {
  if (
    typeof path !== "string" ||
    path === "" ||
    path.includes("\0") ||
    path.startsWith(":") ||
    path.startsWith("file:")
  ) {
    throw new InvalidOptionError({ option: "path", expected: "the path of a file", received: path });
  }
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const folder = dirname(absolute);
  return existsSync(folder) ? join(realpathSync(folder), basename(absolute)) : absolute;
}

export function sidecarOf(path: string): string {
  return `${path}-head`;
}

/**
 * The right to write the file; throws `store_locked` while another has it. A file of its own holds the lock: the system
 * gives it back however the process ends, and readers do not meet it.
 */
export async function lockWriter(path: string): Promise<Driver> {
  const lock = await openDriver(`${path}-writer`);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Puts a backup in the place of a store that is closed; what lay beside the old file goes first, so that a new epoch begins. */
export async function restoreFile(backup: string, path: string): Promise<void> {
  const from = resolvePath(backup);
  const to = resolvePath(path);
  const lock = await lockWriter(to);
  // In the same folder: a rename then puts it in place whole or not at all.
  const folder = mkdtempSync(`${to}-restore-`);
  try {
    const copy = join(folder, "copy");
    copyFileSync(from, copy);
    // What a copy of the files of a running store has beside it.
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${copy}-wal`);
    const driver = await openDriver(copy);
    try {
      checkBackup(driver);
      migrate(driver);
      driver.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      driver.close();
    }
    flush(copy);
    for (const suffix of ["-head", "-wal", "-shm"]) rmSync(to + suffix, { force: true });
    renameSync(copy, to);
  } catch (error) {
    throw toStoreError(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    lock.close();
  }
}

/** What lies at the place of the store may be the better one of the two: it goes only for what is whole. */
function checkBackup(driver: Driver): void {
  const isWhole = isOurs(driver) && driver.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok";
  if (isWhole) return;
  throw new StarcastError(
    "store_corrupt",
    "Expected a whole backup of a SqliteStore, got a file that is none, or damaged",
  );
}

function flush(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
