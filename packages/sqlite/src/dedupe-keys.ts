import { StarcastError } from "@starcast/core";
import { checksum, expectChecksum } from "./checksum.ts";
import { textOf } from "./columns.ts";
import { CommittedValue } from "./committed-value.ts";
import type { EventStatements } from "./event-statements.ts";
import { toColumn } from "./exact-text.ts";

/** Where the first event of a key is. */
export interface FirstOfKey {
  readonly offset: number;
  readonly timestamp: string;
}

export interface DedupeLimits {
  readonly dedupeWindowMs: number;
  readonly maxDedupeKeys: number;
  readonly pruneRows: number;
}

/**
 * Dedupe keys and how long they are remembered; part of the transaction of the events they belong to. Full, they refuse:
 * forgetting early would let a duplicate through silently.
 */
export class DedupeKeys {
  readonly #statements: EventStatements;
  readonly #limits: DedupeLimits;
  #nextLookAt = 0;
  /** How many there are. */
  readonly count: CommittedValue<number>;

  constructor(statements: EventStatements, limits: DedupeLimits) {
    this.#statements = statements;
    this.#limits = limits;
    this.count = new CommittedValue(Number(statements.countKeys.get()?.["count"]));
  }

  find(key: string, now: number): FirstOfKey | null {
    const column = toColumn(key);
    const row = this.#statements.findKey.get(column);
    if (row === undefined) return null;
    const offset = Number(row["offset"]);
    const timestamp = textOf(row["timestamp"]);
    expectChecksum("a dedupe key", checksum([column, offset], timestamp), row["crc"]);
    if (Number(row["until"]) > now) return { offset, timestamp };
    this.count.now -= this.#statements.forgetKey.run(column).changes;
    return null;
  }

  /** Throws `overloaded` when no more can be remembered. */
  remember(key: string, { offset, timestamp }: FirstOfKey, now: number): void {
    const { dedupeWindowMs, maxDedupeKeys } = this.#limits;
    if (this.count.now >= maxDedupeKeys) this.#makeRoom(now);
    const column = toColumn(key);
    const until = Math.ceil(now + dedupeWindowMs);
    this.#statements.putKey.run(column, offset, timestamp, until, checksum([column, offset], timestamp));
    this.count.now += 1;
  }

  /** Those whose time is over, at most `limit`; when there are more, the next call goes on. */
  forget(now: number, limit: number): void {
    if (now < this.#nextLookAt) return;
    const { changes } = this.#statements.forgetKeys.run(now, limit);
    this.count.now -= changes;
    this.#nextLookAt = changes < limit ? now + lookEveryMs : now;
  }

  #makeRoom(now: number): void {
    const { dedupeWindowMs, maxDedupeKeys, pruneRows } = this.#limits;
    this.count.now -= this.#statements.forgetKeys.run(now, pruneRows).changes;
    if (this.count.now < maxDedupeKeys) return;
    throw new StarcastError(
      "overloaded",
      `Expected at most ${maxDedupeKeys} dedupe keys within ${dedupeWindowMs} ms, got more: raise maxDedupeKeys or shorten dedupeWindowMs`,
    );
  }
}

const lookEveryMs = 1_000;
