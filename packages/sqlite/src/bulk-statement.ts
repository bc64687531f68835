import type { Driver, SqlValue, Statement } from "./driver.ts";

/** Rows that one call takes, largest first; more in one call gains nothing. */
const sizes = [32, 8, 1] as const;

/** A statement over a list of rows, as few calls as there can be: a call costs as much as the row it brings. */
export class BulkStatement {
  readonly #statements: readonly (readonly [rows: number, statement: Statement])[];

  /** `sqlOf` gets the rows as SQL: `(?,?),(?,?)`. */
  constructor(driver: Driver, columns: number, sqlOf: (rows: string) => string) {
    const row = `(${Array.from({ length: columns }, () => "?").join(",")})`;
    this.#statements = sizes.map((size) => [
      size,
      driver.prepare(sqlOf(Array.from({ length: size }, () => row).join(","))),
    ]);
  }

  /** `write` gives the values of a row, to the end of the list; returns how many rows were changed. Within a transaction. */
  run<Row>(rows: readonly Row[], write: (row: Row, values: SqlValue[]) => void): number {
    let changes = 0;
    let done = 0;
    for (const [size, statement] of this.#statements) {
      for (; rows.length - done >= size; done += size) {
        // A list of its own per call: a long one would live long enough to be copied by the collector.
        const values: SqlValue[] = [];
        for (let at = done; at < done + size; at += 1) {
          const row = rows[at];
          if (row !== undefined) write(row, values);
        }
        changes += statement.runList(values).changes;
      }
    }
    return changes;
  }
}
