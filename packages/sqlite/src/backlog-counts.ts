import { Turns } from "@starcast/core";
import { textColumn, textOf } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

/** Unfinished deliveries per endpoint: in memory, and in the file once per commit, not once per delivery. */
export class BacklogCounts {
  readonly #statements: Readonly<Record<"all" | "put" | "remove", Statement>>;
  readonly #counts = new Map<string, number>();
  /** Of those with unfinished work. */
  readonly turns: Turns = new Turns();
  /** What the file says of those that this transaction changes. */
  readonly #inFile = new Map<string, number>();
  /** What the work under way has changed, in case that it is undone. */
  #journal: (readonly [endpointId: string, change: number])[] = [];

  constructor(driver: Driver) {
    this.#statements = {
      all: driver.prepare(
        `SELECT ${textColumn("endpoint_id")}, CAST(unfinished AS INTEGER) AS unfinished FROM backlogs`,
      ),
      put: driver.prepare(
        "INSERT INTO backlogs (endpoint_id, unfinished) VALUES (?, ?) ON CONFLICT (endpoint_id) DO UPDATE SET unfinished = excluded.unfinished",
      ),
      remove: driver.prepare("DELETE FROM backlogs WHERE endpoint_id = ?"),
    };
    for (const row of this.#statements.all.all()) this.#set(textOf(row["endpoint_id"]), Number(row["unfinished"]));
  }

  /** Those with unfinished work. */
  get endpoints(): Iterable<string> {
    return this.#counts.keys();
  }

  of(endpointId: string): number {
    return this.#counts.get(endpointId) ?? 0;
  }

  /** Within a transaction. */
  add(endpointId: string, change: number): void {
    if (change === 0) return;
    this.#journal.push([endpointId, change]);
    this.#move(endpointId, change);
  }

  beforeWork(): void {
    this.#journal = [];
  }

  /** The work that began last did not happen. */
  onUndone(): void {
    for (const [endpointId, change] of this.#journal) this.#move(endpointId, -change);
    this.#journal = [];
  }

  beforeCommit(): void {
    this.#journal = [];
    for (const [endpointId, inFile] of this.#inFile) {
      const count = this.of(endpointId);
      if (count === inFile) continue;
      if (count > 0) this.#statements.put.run(endpointId, count);
      else this.#statements.remove.run(endpointId);
    }
  }

  afterCommit(): void {
    this.#inFile.clear();
  }

  rolledBack(): void {
    for (const [endpointId, inFile] of this.#inFile) this.#set(endpointId, inFile);
    this.#inFile.clear();
    this.#journal = [];
  }

  #move(endpointId: string, change: number): void {
    const count = this.of(endpointId);
    if (!this.#inFile.has(endpointId)) this.#inFile.set(endpointId, count);
    this.#set(endpointId, count + change);
  }

  #set(endpointId: string, count: number): void {
    if (count > 0) {
      this.#counts.set(endpointId, count);
      this.turns.add(endpointId);
    } else {
      this.#counts.delete(endpointId);
      this.turns.remove(endpointId);
    }
  }
}
