import type { Clock, Scheduler, Timer } from "@starcast/core";
import { textOf } from "./columns.ts";
import type { EventStatements } from "./event-statements.ts";
import type { ResolvedSqliteOptions } from "./options.ts";

/** What the log holds, within the transaction being made. */
export interface Extent {
  /** Newest offset that was in the file before this transaction. */
  readonly committed: number;
  readonly head: number;
  readonly trimmed: number;
  readonly bytes: number;
  /** Bytes of the largest event there ever was. */
  readonly largest: number;
}

/** Which of the oldest events go: by number, bytes and age, a bounded number per commit. */
export class Retention {
  readonly #limits: ResolvedSqliteOptions["retention"];
  readonly #pruneRows: number;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #statements: EventStatements;
  /** Brings a commit about. */
  readonly #wake: () => Promise<unknown>;
  readonly #beforeTrim: (after: number, through: number) => void;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: {
    readonly options: ResolvedSqliteOptions;
    readonly statements: EventStatements;
    readonly wake: () => Promise<unknown>;
    /** Told, within the transaction, what goes: the events after the first place, through the second. */
    readonly beforeTrim: (after: number, through: number) => void;
  }) {
    const { retention, pruneRows, surroundings } = options.options;
    this.#limits = retention;
    this.#pruneRows = pruneRows;
    this.#clock = surroundings.clock;
    this.#scheduler = surroundings.scheduler;
    this.#statements = options.statements;
    this.#wake = options.wake;
    this.#beforeTrim = options.beforeTrim;
  }

  /**
   * Within a transaction: deletes, and gives the new end. What this transaction brings stays for now, so that watchers are
   * told of nothing that is gone; and a step is as much larger as it brings, so that retention always catches up.
   */
  prune({ committed, head, trimmed, bytes }: Extent): { readonly trimmed: number; readonly bytes: number } {
    const last = Math.min(committed, head - 1);
    const oldest = this.#oldestAllowed();
    let left = this.#pruneRows + head - committed;
    let end = trimmed;
    let size = bytes;
    const isOver = (): boolean => head - end > this.#limits.maxEvents || size > this.#limits.maxBytes;
    for (let step = 4; left > 0 && end < last && (isOver() || oldest !== ""); step = Math.min(step * 4, 256)) {
      const rows = this.#statements.oldest.all(end, Math.min(step, left));
      const going = rows.filter((row) => Number(row["offset"]) <= last);
      const before = end;
      for (const row of going) {
        if (!isOver() && textOf(row["timestamp"]) >= oldest) break;
        end = Number(row["offset"]);
        size -= Number(row["size"]);
      }
      left -= rows.length;
      if (end === before || end !== rows.at(-1)?.["offset"]) break;
    }
    if (end > trimmed) {
      this.#beforeTrim(trimmed, end);
      this.#statements.deleteThrough.run(end);
    }
    return { trimmed: end, bytes: size };
  }

  /** What no publish may ever bring about: more steps, and age. Called after each commit. */
  plan({ committed, head, trimmed, bytes }: Extent): void {
    const last = Math.min(committed, head - 1);
    if (this.#isClosed || trimmed >= last) return;
    const isOver = head - trimmed > this.#limits.maxEvents || bytes > this.#limits.maxBytes;
    if (isOver) this.#wakeIn(nextStepMs);
    else if (this.#limits.maxAgeMs !== Infinity && this.#timer === null) this.#wakeIn(this.#msUntilTooOld(trimmed));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #oldestAllowed(): string {
    const { maxAgeMs } = this.#limits;
    return maxAgeMs === Infinity ? "" : new Date(Math.max(0, this.#clock.now() - maxAgeMs)).toISOString();
  }

  #msUntilTooOld(trimmed: number): number {
    const written = Date.parse(textOf(this.#statements.oldest.get(trimmed, 1)?.["timestamp"]));
    const ms = written + this.#limits.maxAgeMs + 1 - this.#clock.now();
    return Number.isFinite(ms) ? Math.max(ms, nextStepMs) : longestSleepMs;
  }

  #wakeIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#scheduler.after(Math.min(ms, longestSleepMs), () => {
      this.#timer = null;
      this.#wake().catch(() => {
        // Locked or full: publishers are told so by their own commits; this one is tried again.
        if (!this.#isClosed) this.#wakeIn(longestSleepMs);
      });
    });
  }
}

/** Between two steps of pruning: publishers come first. */
const nextStepMs = 20;
/** Also how late an event goes by age at most, when a step failed. */
const longestSleepMs = 60_000;
