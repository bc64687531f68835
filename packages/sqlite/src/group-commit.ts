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

interface Refused {
  readonly work: Work;
  readonly error: StarcastError;
}

type Outcome =
  | { readonly kind: "committed"; readonly done: readonly Done[]; readonly refused: readonly Refused[] }
  | { readonly kind: "failed"; readonly error: StarcastError };

export interface GroupCommitOptions {
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  /** How long writes are gathered; 0 is the next turn. */
  readonly commitMs: number;
  /** Called inside each transaction before each work, to remember what `onUndone` goes back to. */
  readonly beforeWork: () => void;
  /** The work that began last did not happen; those before it did. */
  readonly onUndone: () => void;
  /** Called inside each transaction after all work, or after each when one of them threw: writes what they left to be written together. */
  readonly afterWork: () => void;
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
  #rows = 0;
  #timer: Timer | null = null;
  #isScheduled = false;
  #isCommitting = false;
  #isClosed = false;
  #onSettled: (() => void)[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * Runs in the next transaction, once more if another work of it throws; resolves after its commit. A throw undoes this
   * work alone. `onCommitted` is called before anybody is told. `rows` is about how many it writes: enough of them are not
   * kept waiting.
   */
  write<Result>(run: () => Result, onCommitted?: (result: Result) => void, rows = 1): Promise<Result> {
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise<Result>((resolve, reject) => {
      // What comes out is what this run returned.
      this.#waiting.push({
        run,
        onCommitted: onCommitted as Work["onCommitted"],
        resolve: resolve as Work["resolve"],
        reject,
      });
      this.#rows += rows;
      this.#schedule();
    });
  }

  /** Throws `store_closed` once nothing is written any more; for what answers from memory. */
  checkOpen(): void {
    if (this.#isClosed) throw closed();
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
    this.#rows = 0;
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
    const outcome = this.#transact(works, false) ?? this.#transact(works, true);
    // The careful way always comes to an end.
    if (outcome === null) return;
    if (outcome.kind === "failed") {
      for (const { reject } of works) reject(outcome.error);
      return;
    }
    this.#options.onCommitted();
    for (const { work, result } of outcome.done) work.onCommitted?.(result);
    for (const { work, result } of outcome.done) work.resolve(result);
    for (const { work, error } of outcome.refused) work.reject(error);
  }

  /**
   * One transaction of all works. A savepoint around each costs as much as an insert, so they come only with the second
   * try, after a first (null) in which one of the works threw: 1.5x the appends of one turn.
   */
  #transact(works: readonly Work[], isCareful: boolean): Outcome | null {
    const { driver, afterWork, beforeCommit, onRolledBack } = this.#options;
    const done: Done[] = [];
    const refused: Refused[] = [];
    let isRunning = false;
    try {
      driver.exec("BEGIN IMMEDIATE");
      isRunning = true;
      for (const work of works) {
        if (isCareful) this.#runAlone(work, done, refused);
        else done.push({ work, result: work.run() });
      }
      if (!isCareful) afterWork();
      isRunning = false;
      beforeCommit();
      driver.exec("COMMIT");
      return { kind: "committed", done, refused };
    } catch (error) {
      this.#rollBack();
      onRolledBack();
      return isRunning && !isCareful ? null : { kind: "failed", error: toStoreError(error) };
    }
  }

  /** A throw undoes this work; when SQLite undoes more than that, the whole transaction ends with why. */
  #runAlone(work: Work, done: Done[], refused: Refused[]): void {
    const { driver, beforeWork, afterWork, onUndone } = this.#options;
    driver.exec("SAVEPOINT work");
    beforeWork();
    try {
      const result = work.run();
      afterWork();
      done.push({ work, result });
    } catch (error) {
      const typed = toStoreError(error);
      try {
        driver.exec("ROLLBACK TO work");
      } catch {
        // There is no transaction any more, as SQLite ends it by itself when the disk is full.
        throw typed;
      }
      onUndone();
      refused.push({ work, error: typed });
    }
    driver.exec("RELEASE work");
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
    const isNow = commitMs === 0 || this.#rows >= rowsWorthACommit;
    if (this.#isScheduled && (this.#timer === null || !isNow)) return;
    this.#isScheduled = true;
    this.#timer?.cancel();
    this.#timer = null;
    if (isNow) scheduler.nextTurn(() => this.#flush());
    else this.#timer = scheduler.after(commitMs, () => this.#flush(), { holdsProcess: true });
  }
}

/** More in one commit would make none of them cheaper: it is made in the next turn, whatever `commitMs` says. */
export const rowsWorthACommit = 1_000;

function closed(): StarcastError {
  return new StarcastError("store_closed", "Expected an open store, got one that was closed");
}
