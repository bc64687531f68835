import type { DeliveredEvent, DeliveryDraft } from "@starcast/core";
import type { BacklogCounts } from "./backlog-counts.ts";
import { deliveryChecksum } from "./delivery-rows.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { SqlValue } from "./driver.ts";
import type { EventCopies } from "./event-copies.ts";
import type { FinishedDeliveries } from "./finished-deliveries.ts";
import type { FreshDelivery } from "./fresh-deliveries.ts";

/** What one `put` brought. */
export interface Put {
  readonly stored: number;
  readonly overflowed: number;
  /** Those that can be tried, oldest first. */
  readonly fresh: readonly FreshDelivery[];
  /** Where the next delivery goes. */
  readonly next: number;
}

export interface PutTools {
  readonly statements: DeliveryStatements;
  readonly counts: BacklogCounts;
  readonly finished: FinishedDeliveries;
  readonly copies: EventCopies;
  readonly maxPerEndpoint: number;
}

interface NewRow {
  readonly delivery: FreshDelivery;
  readonly isOverflow: boolean;
  readonly isBlocked: boolean;
}

/**
 * One `put`, within a transaction. Rows are gathered and written together for as long as nothing that is asked of the file
 * depends on them: whether an endpoint is full does, and what is first of its order key.
 */
export class PutDeliveries {
  readonly #tools: PutTools;
  readonly #createdAt: number;
  /** Which place the next delivery gets in the file. */
  #next: number;
  #rows: NewRow[] = [];
  /** How many of the gathered rows are unfinished ones of an endpoint. */
  readonly #gathered = new Map<string, number>();
  /** Order keys of which an unfinished delivery is in the file: what comes after it waits. */
  readonly #takenKeys = new Set<string>();
  /** The event of the last draft: those of one event come in a row, it is copied once. */
  #event: DeliveredEvent | null = null;
  /** Events of new deliveries that the log does not have, by their ids. */
  readonly #unlogged = new Map<string, DeliveredEvent>();
  readonly #fresh: FreshDelivery[] = [];
  #stored = 0;
  #overflowed = 0;

  constructor(tools: PutTools, { next, createdAt }: { readonly next: number; readonly createdAt: number }) {
    this.#tools = tools;
    this.#next = next;
    this.#createdAt = createdAt;
  }

  run(drafts: readonly DeliveryDraft[]): Put {
    for (const draft of drafts) this.#add(draft);
    this.#write();
    this.#tools.copies.keep([...this.#unlogged.values()]);
    return { stored: this.#stored, overflowed: this.#overflowed, fresh: this.#fresh, next: this.#next };
  }

  #add({ endpointId, event, dueAt, orderKey }: DeliveryDraft): void {
    if (this.#event?.id !== event.id) this.#event = copyOf(event);
    if (this.#isFull(endpointId) && this.#gathered.has(endpointId)) this.#write();
    const isOverflow = this.#isFull(endpointId);
    const key = orderKey === undefined || isOverflow ? null : JSON.stringify([endpointId, orderKey]);
    const isBlocked = key !== null && this.#isTaken(key, endpointId, orderKey);
    const sequence = this.#next;
    this.#next += 1;
    const createdAt = this.#createdAt;
    const delivery = { sequence, endpointId, event: this.#event, orderKey, createdAt, dueAt: Math.ceil(dueAt) };
    this.#rows.push({ delivery, isOverflow, isBlocked });
    if (!isOverflow) this.#gathered.set(endpointId, (this.#gathered.get(endpointId) ?? 0) + 1);
    if (key === null || isBlocked) return;
    // The first of its key, unless it is there already.
    this.#write();
    if (this.#fresh.at(-1) === delivery) this.#takenKeys.add(key);
  }

  #isFull(endpointId: string): boolean {
    const { counts, maxPerEndpoint } = this.#tools;
    return counts.of(endpointId) + (this.#gathered.get(endpointId) ?? 0) >= maxPerEndpoint;
  }

  #isTaken(key: string, endpointId: string, orderKey: string | undefined): boolean {
    if (this.#takenKeys.has(key)) return true;
    if (this.#tools.statements.olderOfKey.get(endpointId, orderKey ?? null) === undefined) return false;
    this.#takenKeys.add(key);
    return true;
  }

  /** Those that are there already stay as they are. */
  #write(): void {
    const { statements, counts, finished, copies } = this.#tools;
    const rows = this.#rows;
    const [first] = rows;
    if (first === undefined) return;
    const changes = statements.insert.run(rows, writeRow);
    this.#rows = [];
    this.#gathered.clear();
    const stored = changes === rows.length ? rows : this.#thoseStored(rows, first.delivery.sequence);
    const added = new Map<string, number>();
    const overflowed: number[] = [];
    for (const { delivery, isOverflow } of stored) {
      const { sequence, event, endpointId } = delivery;
      if (!copies.isInLog(event.id)) this.#unlogged.set(event.id, event);
      if (isOverflow) {
        overflowed.push(sequence);
      } else {
        added.set(endpointId, (added.get(endpointId) ?? 0) + 1);
        this.#fresh.push(delivery);
      }
    }
    this.#stored += stored.length;
    for (const [endpointId, count] of added) counts.add(endpointId, count);
    if (overflowed.length === 0) return;
    this.#overflowed += overflowed.length;
    finished.add("dead", overflowed.length);
    statements.settle.run(overflowed, (sequence, values) => {
      values.push(sequence, "dead", null, this.#createdAt, "overflow", 0, "[]");
    });
  }

  #thoseStored(rows: readonly NewRow[], first: number): readonly NewRow[] {
    const places = this.#tools.statements.places.all(first, this.#next);
    const there = new Set(places.map((row) => Number(row["sequence"])));
    return rows.filter(({ delivery }) => there.has(delivery.sequence));
  }
}

function writeRow({ delivery, isBlocked }: NewRow, values: SqlValue[]): void {
  const { sequence, endpointId, event, orderKey, createdAt, dueAt } = delivery;
  const crc = deliveryChecksum(endpointId, event.id, orderKey, createdAt);
  values.push(sequence, endpointId, event.id, orderKey ?? null, createdAt, dueAt, isBlocked ? 1 : 0, crc);
}

// What the caller has may be changed by the caller.
function copyOf({ id, type, subject, timestamp, json }: DeliveredEvent): DeliveredEvent {
  return Object.freeze({ id, type, subject, timestamp, json });
}
