import { StarcastError } from "@starcast/core";
import { checksum, expectChecksum } from "./checksum.ts";
import { numberColumn, textColumn, textOf } from "./columns.ts";
import type { Driver, Row, Statement } from "./driver.ts";
import { toColumn } from "./exact-text.ts";
import type { GroupCommit } from "./group-commit.ts";

/** A webhook that was verified, as far as it is remembered. */
export interface SeenWebhook {
  readonly id: string;
  readonly content: string;
}

/**
 * Which webhooks were handled, over restarts: `seenIds` of a `WebhookVerifier` of `@starcast/standard-webhooks`. Handled
 * ones are in the file; those in their handlers only in memory, so that a killed process leaves none that may not come again.
 */
export class SqliteSeenIds {
  readonly #commit: GroupCommit;
  readonly #maxSeenIds: number;
  readonly #pruneRows: number;
  readonly #statements: Readonly<Record<"byId" | "byContent" | "insert" | "newest" | "forget", Statement>>;
  /** Contents in their handlers. */
  readonly #begun = new Set<string>();

  constructor(options: {
    readonly driver: Driver;
    readonly commit: GroupCommit;
    readonly options: { readonly maxSeenIds: number; readonly pruneRows: number };
  }) {
    const { driver } = options;
    this.#commit = options.commit;
    this.#maxSeenIds = options.options.maxSeenIds;
    this.#pruneRows = options.options.pruneRows;
    this.#statements = {
      byId: driver.prepare(`SELECT ${columns} FROM seen WHERE id = ? LIMIT 1`),
      byContent: driver.prepare(`SELECT ${columns} FROM seen WHERE content = ? LIMIT 1`),
      insert: driver.prepare("INSERT INTO seen (id, content, crc) VALUES (?, ?, ?)"),
      newest: driver.prepare("SELECT max(sequence) AS newest FROM seen"),
      forget: driver.prepare(
        "DELETE FROM seen WHERE sequence IN (SELECT sequence FROM seen WHERE sequence <= ? ORDER BY sequence LIMIT ?)",
      ),
    };
  }

  /** Throws `overloaded` when as many are in their handlers as are remembered at all. */
  begin({ id, content }: SeenWebhook): "first" | "repeated" | "replayed" {
    const isReplay = this.#begun.has(content) || isKept(this.#statements.byContent.get(toColumn(content)));
    if (isReplay) return "replayed";
    if (this.#begun.size >= this.#maxSeenIds) {
      throw new StarcastError(
        "overloaded",
        `Expected at most ${this.#maxSeenIds} webhooks in their handlers (maxSeenIds), got another: it may come again`,
      );
    }
    const outcome = isKept(this.#statements.byId.get(toColumn(id))) ? "repeated" : "first";
    this.#begun.add(content);
    return outcome;
  }

  /** Resolves when it is in the file. */
  async succeed({ id, content }: SeenWebhook): Promise<void> {
    try {
      await this.#commit.write(() => {
        const kept = [toColumn(id), toColumn(content)] as const;
        this.#statements.insert.run(...kept, checksum(kept, ""));
        const newest = Number(this.#statements.newest.get()?.["newest"]);
        this.#statements.forget.run(newest - this.#maxSeenIds, this.#pruneRows);
      });
    } finally {
      // Also when it could not be kept, say on a full disk: whatever stays here stays for the life of the process.
      this.#begun.delete(content);
    }
  }

  fail({ content }: SeenWebhook): void {
    this.#begun.delete(content);
  }
}

const columns = [textColumn("id"), textColumn("content"), numberColumn("crc")].join(", ");

function isKept(row: Row | undefined): boolean {
  if (row === undefined) return false;
  expectChecksum("a webhook that was handled", checksum([textOf(row["id"]), textOf(row["content"])], ""), row["crc"]);
  return true;
}
