import { Buffer } from "node:buffer";
import type { SqlValue } from "./driver.ts";

/**
 * A text column as its bytes, to be read with `textOf`. Never select a text as it is: one damaged byte in it, and
 * `libsql` ends the whole process. (Texts are stored as texts all the same, for those who read the file in a shell.)
 */
export function textColumn(column: string, name: string = column): string {
  return `CAST(${column} AS BLOB) AS ${name}`;
}

/** A number column as a number even where the file is damaged and says it is a text. */
export function numberColumn(column: string, name: string = column): string {
  return `CAST(${column} AS INTEGER) AS ${name}`;
}

/** The text of a column that was selected as bytes; damaged bytes are replaced, which a checksum notices. */
export function textOf(value: SqlValue | undefined): string {
  return bytesOf(value).toString("utf8");
}

export function textOrNull(value: SqlValue | undefined): string | null {
  return value === null || value === undefined ? null : textOf(value);
}

/** What `libsql` gives as an ArrayBuffer and `node:sqlite` as a Uint8Array. */
export function bytesOf(value: SqlValue | undefined): Buffer {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(value === null || value === undefined ? "" : String(value));
}
