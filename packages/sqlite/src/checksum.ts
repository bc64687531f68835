import { StarcastError } from "@starcast/core";
import { crc32 } from "node:zlib";

/** Of facts and a text. SQLite notices damaged pages of its structure, not a flipped bit in a value. */
export function checksum(facts: readonly (string | number | null)[], text: string): number {
  return crc32(text, crc32(facts.map((fact) => (fact === null ? "-" : `+${fact}`)).join("\0")));
}

/** Throws `store_corrupt` when they differ. */
export function expectChecksum(what: string, expected: number, kept: unknown): void {
  if (expected === kept) return;
  throw new StarcastError(
    "store_corrupt",
    `Expected ${what} as it was written, got a damaged one: restore a backup with SqliteStore.restore`,
  );
}
