import { StarcastError, isStarcastError, type ErrorCode } from "@starcast/core";

/** What a driver or the file system threw as a typed error; says what the engine saw, never what was written. */
export function toStoreError(error: unknown): StarcastError {
  if (isStarcastError(error)) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(text);
  const says = moreExactly.find(([pattern]) => pattern.test(text))?.[1] ?? generally[code];
  return new StarcastError(code, `${says} (${text.slice(0, 120)})`, { cause: error });
}

type SqlCode = Extract<ErrorCode, "store_corrupt" | "store_locked" | "store_full" | "store_failed">;

function codeOf(text: string): SqlCode {
  if (/malformed|not a database|corrupt/i.test(text)) return "store_corrupt";
  if (/is locked|busy/i.test(text)) return "store_locked";
  if (/disk is full|no space left/i.test(text)) return "store_full";
  return "store_failed";
}

const moreExactly: readonly (readonly [RegExp, string])[] = [
  [/unable to open/i, "Expected a path of a file, in a folder that is there and may be written to, got another"],
  [
    /not a database/i,
    "Expected an SQLite file, got another, or a damaged one: choose another path, or restore a backup with SqliteStore.restore",
  ],
];

const generally: Readonly<Record<SqlCode, string>> = {
  store_corrupt: "Expected an intact SQLite file, got a damaged one: restore a backup with SqliteStore.restore",
  store_locked: "Expected to be the only writer of the SQLite file, got one that another store or program writes",
  store_full: "Expected room on the disk of the SQLite file, got none: it goes on by itself when there is",
  store_failed: "Expected SQLite to answer, got an error",
};
