import { StarcastError, type Scheduler, type Timer } from "@starcast/core";
import type { Driver } from "./driver.ts";
import { toStoreError } from "./sql-error.ts";

interface Work {
  readonly run: () => unknown;
  readonly onCommitted: ((result: unknown) => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Done {
  readonly work: Work;
  readonly result: unknown;
}

export interface GroupCommitOptions {
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  /** How long writes are gathered; 0 is the next turn. */
  readonly commitMs: number;
  /** Called inside each transaction before each work, to remember what `onUndone` goes back to. */
  readonly beforeWork: () => void;
  /** The work that began last did not happen; those before it did. */
  readonly onUndone: () => void;
  /** Called inside each transaction, after the work: what is kept once per commit. */
  readonly beforeCommit: () => void;
  /** The transaction is in the file; nobody was told yet. MUST NOT throw. */
  readonly onCommitted: () => void;
  /** Memory goes back to what the file says: nothing of the transaction happened. */
  readonly onRolledBack: () => void;
}

/** Writes of one turn, or of a few milliseconds, in one transaction: one fsync for all of them, none acknowledged before it. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Work[] = [];
  #timer: Timer | null = null;
  #isScheduled = false;
  #isCommitting = false;
  #isClosed = false;
  #onSettled: (() => void)[] = [];

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

  /** Commits what waits, now; resolves when everybody was told. */
  settle(): Promise<void> {
    if (!this.#isCommitting) {
      this.#flush();
      return Promise.resolve();
    }
    // From inside a commit: its own works are told before those that came later.
    return new Promise((resolve) => void this.#onSettled.push(resolve));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.settle();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isScheduled = false;
    const works = this.#waiting;
    if (works.length > 0) {
      this.#waiting = [];
      this.#isCommitting = true;
      try {
        this.#commit(works);
      } finally {
        this.#isCommitting = false;
      }
    }
    const settled = this.#onSettled;
    if (settled.length === 0) return;
    this.#onSettled = [];
    this.#flush();
    for (const resolve of settled) resolve();
  }

  #commit(works: readonly Work[]): void {
    const { driver, beforeCommit, onCommitted, onRolledBack } = this.#options;
    const done: Done[] = [];
    const refused: { readonly work: Work; readonly error: unknown }[] = [];
    try {
      driver.exec("BEGIN IMMEDIATE");
      for (const work of works) {
        const error = this.#run(work, done);
        if (error !== null) refused.push({ work, error });
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
    onCommitted();
    for (const { work, result } of done) work.onCommitted?.(result);
    for (const { work, result } of done) work.resolve(result);
    for (const { work, error } of refused) work.reject(error);
  }

  /** Null when it is done; why it was undone alone; a throw ends the whole transaction. */
  #run(work: Work, done: Done[]): StarcastError | null {
    const { driver, beforeWork, onUndone } = this.#options;
    driver.exec("SAVEPOINT work");
    beforeWork();
    let failure: StarcastError | null = null;
    try {
      done.push({ work, result: work.run() });
    } catch (error) {
      failure = toStoreError(error);
      try {
        driver.exec("ROLLBACK TO work");
      } catch {
        // SQLite has undone the whole transaction by itself, as it does when the disk is full: this is why.
        throw failure;
      }
      onUndone();
    }
    driver.exec("RELEASE work");
    return failure;
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
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (commitMs === 0) scheduler.nextTurn(() => this.#flush());
    else this.#timer = scheduler.after(commitMs, () => this.#flush(), { holdsProcess: true });
  }
}
