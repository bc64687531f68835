import { StarcastError } from "@starcast/core";
import { crc32 } from "node:zlib";

/** Of facts and a text. SQLite notices damaged pages of its structure, not a flipped bit in a value. */
export function checksum(facts: readonly (string | number | null)[], text: string): number {
  let all = "";
  let separator = "";
  for (const fact of facts) {
    all += separator + (fact === null ? "-" : `+${fact}`);
    separator = "\0";
  }
  return crc32(all + text);
}

/** Throws `store_corrupt` when they differ. */
export function expectChecksum(what: string, expected: number, kept: unknown): void {
  if (expected === kept) return;
  throw new StarcastError(
    "store_corrupt",
    `Expected ${what} as it was written, got a damaged one: restore a backup with SqliteStore.restore`,
  );
}
