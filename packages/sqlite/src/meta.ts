import { checksum, expectChecksum } from "./checksum.ts";
import { numberColumn, textColumn, textOf } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

/** A few values about the file itself, by name. */
export class Meta {
  readonly #get: Statement;
  readonly #put: Statement;

  constructor(driver: Driver) {
    this.#get = driver.prepare(`SELECT ${textColumn("value")}, ${numberColumn("crc")} FROM meta WHERE key = ?`);
    this.#put = driver.prepare(
      "INSERT INTO meta (key, value, crc) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, crc = excluded.crc",
    );
  }

  /** Throws `store_corrupt` when it is not as it was written. */
  text(key: string): string | null {
    const row = this.#get.get(key);
    if (row === undefined) return null;
    const value = textOf(row["value"]);
    expectChecksum(`the value of \`${key}\``, checksum([key], value), row["crc"]);
    return value;
  }

  number(key: string): number {
    return Number(this.text(key) ?? 0);
  }

  put(key: string, value: string | number): void {
    const text = String(value);
    this.#put.run(key, text, checksum([key], text));
  }
}
