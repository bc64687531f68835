import { StarcastError } from "@starcast/core";
import { checksum } from "./checksum.ts";
import type { Meta } from "./meta.ts";

/**
 * What the file says of the names of its checkpoints: how many there are, and their checksums added up bit by bit. A name
 * that is damaged would otherwise read as one that was never saved, and its subscriber begin anew in silence.
 */
export class CheckpointNames {
  readonly #meta: Meta;
  readonly #maxNames: number;

  /** Throws `store_corrupt` when `names`, as columns, are not those that were written. */
  constructor(meta: Meta, names: readonly string[], maxNames: number) {
    this.#meta = meta;
    this.#maxNames = maxNames;
    const found = sumOf(names);
    const kept = meta.text("names");
    if (kept === null) meta.put("names", textOf(found));
    else if (kept !== textOf(found)) {
      throw new StarcastError(
        "store_corrupt",
        `Expected the names of ${kept.split(" ")[0]} checkpoints as they were written, got others: restore a backup with SqliteStore.restore`,
      );
    }
  }

  /** Within a transaction: throws `store_full` when there is no room for one more. */
  add(name: string): void {
    const { count, sum } = this.#read();
    if (count >= this.#maxNames) {
      throw new StarcastError(
        "store_full",
        `Expected at most ${this.#maxNames} checkpoints (maxCheckpoints), got another: remove those no longer used`,
      );
    }
    this.#meta.put("names", textOf({ count: count + 1, sum: sum ^ checksum([name], "") }));
  }

  /** Within a transaction. */
  remove(name: string): void {
    const { count, sum } = this.#read();
    this.#meta.put("names", textOf({ count: count - 1, sum: sum ^ checksum([name], "") }));
  }

  #read(): Sum {
    const [count = 0, sum = 0] = (this.#meta.text("names") ?? "").split(" ").map(Number);
    return { count, sum };
  }
}

interface Sum {
  readonly count: number;
  readonly sum: number;
}

function sumOf(names: readonly string[]): Sum {
  return { count: names.length, sum: names.reduce((sum, name) => sum ^ checksum([name], ""), 0) };
}

function textOf({ count, sum }: Sum): string {
  return `${count} ${sum >>> 0}`;
}
