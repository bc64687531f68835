import { StarcastError, type Scheduler, type Timer } from "@starcast/core";
import type { Driver } from "./driver.ts";
import { toStoreError } from "./sql-error.ts";

interface Work {
  readonly run: () => unknown;
  readonly onCommitted: ((result: unknown) => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  /** How long writes are gathered; 0 is the next turn. */
  readonly commitMs: number;
  /** Called inside each transaction, after the work: what is kept once per commit. */
  readonly beforeCommit: () => void;
  /** The transaction is in the file; nobody was told yet. */
  readonly onCommitted: () => void;
  /** Memory goes back to what the file says: nothing of the transaction happened. */
  readonly onRolledBack: () => void;
}

/** Writes of one turn, or of a few milliseconds, in one transaction: one fsync for all of them, none acknowledged before it. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Work[] = [];
  #timer: Timer | null = null;
  #isComing = false;
  #isClosed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Runs in the next transaction; resolves after its commit. A throw undoes this work alone. `onCommitted` is called before anybody is told. */
  write<Result>(run: () => Result, onCommitted?: (result: Result) => void): Promise<Result> {
    if (this.#isClosed)
      return Promise.reject(new StarcastError("store_closed", "Expected an open store, got one that was closed"));
    return new Promise<Result>((resolve, reject) => {
      // What comes out is what this run returned.
      this.#waiting.push({
        run,
        onCommitted: onCommitted as Work["onCommitted"],
        resolve: resolve as Work["resolve"],
        reject,
      });
      this.#schedule();
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isComing = false;
    const works = this.#waiting;
    if (works.length === 0) return;
    this.#waiting = [];
    const done: { readonly work: Work; readonly result: unknown }[] = [];
    const refused: { readonly work: Work; readonly error: unknown }[] = [];
    const { driver, beforeCommit, onRolledBack } = this.#options;
    try {
      driver.exec("BEGIN IMMEDIATE");
      for (const work of works) {
        driver.exec("SAVEPOINT work");
        try {
          done.push({ work, result: work.run() });
        } catch (error) {
          driver.exec("ROLLBACK TO work");
          refused.push({ work, error: toStoreError(error) });
        }
        driver.exec("RELEASE work");
      }
      beforeCommit();
      driver.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      onRolledBack();
      const typed = toStoreError(error);
      for (const { reject } of works) reject(typed);
      return;
    }
    this.#options.onCommitted();
    for (const { work, result } of done) work.onCommitted?.(result);
    for (const { work, result } of done) work.resolve(result);
    for (const { work, error } of refused) work.reject(error);
  }

  close(): void {
    this.flush();
    this.#isClosed = true;
  }

  #rollBack(): void {
    try {
      this.#options.driver.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
  }

  #schedule(): void {
    const { scheduler, commitMs } = this.#options;
    if (this.#isComing) return;
    this.#isComing = true;
    if (commitMs === 0) scheduler.nextTurn(() => this.flush());
    else this.#timer = scheduler.after(commitMs, () => this.flush(), { holdsProcess: true });
  }
}
