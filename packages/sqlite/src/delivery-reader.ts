import type { Backlog, Delivery, DeliveryPage, DeliverySelection } from "@starcast/core";
import { textOf } from "./columns.ts";
import type { DeliveryClaims } from "./delivery-claims.ts";
import { deliveryColumns, deliveryOf, deliveryTables, whereOf } from "./delivery-rows.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { Driver, Row } from "./driver.ts";
import type { DueRows } from "./due-rows.ts";

/** Deliveries as people look at them: rows of the file, and who tries what. Changes nothing. */
export class DeliveryReader {
  readonly #driver: Driver;
  readonly #tables: string;
  readonly #statements: DeliveryStatements;
  readonly #claims: DeliveryClaims;
  readonly #due: DueRows;

  constructor(options: {
    readonly driver: Driver;
    readonly epoch: string;
    readonly statements: DeliveryStatements;
    readonly claims: DeliveryClaims;
    readonly due: DueRows;
  }) {
    this.#driver = options.driver;
    this.#tables = deliveryTables(options.epoch);
    this.#statements = options.statements;
    this.#claims = options.claims;
    this.#due = options.due;
  }

  get(endpointId: string, eventId: string): Delivery | null {
    const row = this.#statements.one.get(endpointId, eventId);
    return row === undefined ? null : this.#deliveryOf(row);
  }

  list(
    selection: DeliverySelection,
    { limit, next }: { readonly limit: number; readonly next?: string | undefined },
  ): DeliveryPage {
    const { sql, values } = whereOf(selection, this.#claims.sequences());
    const before = next === undefined ? Number.MAX_SAFE_INTEGER : Number(next);
    const rows = this.#driver
      .prepare(
        `SELECT ${deliveryColumns} FROM ${this.#tables} WHERE ${sql} AND d.sequence < ? ORDER BY d.sequence DESC LIMIT ?`,
      )
      .all(...values, before, limit === Infinity ? -1 : limit + 1);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      deliveries: page.map((row) => this.#deliveryOf(row)),
      next: rows.length > limit && last !== undefined ? String(Number(last["sequence"])) : null,
    };
  }

  backlog(endpointId: string): Backlog {
    const counts = new Map(
      this.#statements.counts.all(endpointId).map((row) => [textOf(row["kind"]), Number(row["count"])]),
    );
    const attempting = this.#claims.count(endpointId);
    return {
      pending: (counts.get("pending") ?? 0) - attempting,
      attempting,
      dead: counts.get("dead") ?? 0,
      nextDueAt: this.#due.nextPendingAt(endpointId),
    };
  }

  #deliveryOf(row: Row): Delivery {
    return deliveryOf(row, (endpointId) => this.#claims.of(endpointId, Number(row["sequence"])));
  }
}
