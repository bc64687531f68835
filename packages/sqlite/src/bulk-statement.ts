import type { Driver, SqlValue, Statement } from "./driver.ts";

/** Rows that one call takes, largest first; more in one call gains nothing. */
const sizes = [32, 8, 1] as const;

/** A statement over a list of rows, as few calls as there can be: a call costs as much as the row it brings. */
export class BulkStatement {
  readonly #columns: number;
  readonly #statements: readonly (readonly [rows: number, statement: Statement])[];

  /** `sqlOf` gets the rows as SQL: `(?,?),(?,?)`. */
  constructor(driver: Driver, columns: number, sqlOf: (rows: string) => string) {
    this.#columns = columns;
    const row = `(${Array.from({ length: columns }, () => "?").join(",")})`;
    this.#statements = sizes.map((size) => [
      size,
      driver.prepare(sqlOf(Array.from({ length: size }, () => row).join(","))),
    ]);
  }

  /** The values of all rows, one row after the other; gives how many rows were changed. Within a transaction. */
  run(values: readonly SqlValue[]): number {
    const rows = values.length / this.#columns;
    let changes = 0;
    let done = 0;
    for (const [size, statement] of this.#statements) {
      for (; rows - done >= size; done += size) {
        const part = values.slice(done * this.#columns, (done + size) * this.#columns);
        changes += statement.run(...part).changes;
      }
    }
    return changes;
  }
}
