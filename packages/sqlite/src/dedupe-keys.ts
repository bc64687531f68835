import { checksum, expectChecksum } from "./checksum.ts";
import { textOf } from "./columns.ts";
import type { EventStatements } from "./event-statements.ts";
import { toColumn } from "./exact-text.ts";

/** Where the first event of a key is. */
export interface FirstOfKey {
  readonly offset: number;
  readonly timestamp: string;
}

/** Dedupe keys and how long they are remembered; part of the transaction of the events they belong to. */
export class DedupeKeys {
  readonly #statements: EventStatements;
  readonly #windowMs: number;
  #nextLookAt = 0;

  constructor(statements: EventStatements, windowMs: number) {
    this.#statements = statements;
    this.#windowMs = windowMs;
  }

  find(key: string, now: number): FirstOfKey | null {
    const column = toColumn(key);
    const row = this.#statements.findKey.get(column, now);
    if (row === undefined) return null;
    const offset = Number(row["offset"]);
    const timestamp = textOf(row["timestamp"]);
    expectChecksum("a dedupe key", checksum([column, offset], timestamp), row["crc"]);
    return { offset, timestamp };
  }

  remember(key: string, { offset, timestamp }: FirstOfKey, now: number): void {
    const column = toColumn(key);
    const until = Math.ceil(now + this.#windowMs);
    this.#statements.putKey.run(column, offset, timestamp, until, checksum([column, offset], timestamp));
  }

  /** Those whose time is over, at most `limit`; when there are more, the next call goes on. */
  forget(now: number, limit: number): void {
    if (now < this.#nextLookAt) return;
    const { changes } = this.#statements.forgetKeys.run(now, limit);
    this.#nextLookAt = changes < limit ? now + lookEveryMs : now;
  }
}

const lookEveryMs = 1_000;
