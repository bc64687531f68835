import { parsePosition } from "@starcast/core";
import type { Position } from "@starcast/core";
import { Ledger } from "../receivers/ledger.ts";
import type { LedgerState } from "../receivers/ledger.ts";
import { LineFile } from "./line-file.ts";

/** Lines after which a book is closed and begun anew with its sums. */
export const maxBookLines = 100_000;

/**
 * The books of a receiver in a file: each arrival by its id, written down before it is acknowledged, so that a receiver
 * that is killed knows afterwards what it has. The first line holds what is older.
 */
export class BookFile {
  readonly #lines: LineFile;

  constructor(path: string) {
    this.#lines = new LineFile(path);
  }

  /** The books as they were kept; new ones from this place on when there are none, or they are of another log. */
  open(after: Position): Ledger {
    const [head, ...entries] = this.#lines.read();
    const kept = head === undefined ? null : (JSON.parse(head) as Head);
    if (kept?.epoch !== after.epoch) return this.#begin(after.epoch, new Ledger(after.offset));
    const ledger = new Ledger(kept.ledger.through, kept.ledger);
    for (const entry of entries) {
      const isGap = entry.startsWith(gapMark);
      const offset = parsePosition(isGap ? entry.slice(gapMark.length) : entry)?.offset ?? 0;
      if (isGap) ledger.bookGap(offset);
      else ledger.book(offset);
    }
    return ledger;
  }

  arrived(id: string): void {
    this.#lines.append(id);
  }

  gap(through: string): void {
    this.#lines.append(gapMark + through);
  }

  /** Called after each entry: sums up what has become too long. */
  settle(epoch: string, ledger: Ledger): void {
    if (this.#lines.count > maxBookLines) this.#begin(epoch, ledger);
  }

  close(): void {
    this.#lines.close();
  }

  #begin(epoch: string, ledger: Ledger): Ledger {
    this.#lines.rewrite([JSON.stringify({ epoch, ledger: ledger.state } satisfies Head)]);
    return ledger;
  }
}

interface Head {
  readonly epoch: string;
  readonly ledger: LedgerState;
}

const gapMark = "gap ";
