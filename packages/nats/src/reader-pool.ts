import { StarcastError, type ReadLimit, type Timer } from "@starcast/core";
import { toStoreError } from "./nats-error.ts";
import { PageReader, type Item, type ReadingOptions } from "./page-reader.ts";

/** Readers kept for who reads on: a resuming crowd reads page after page from a few places. */
export const maxReaders = 8;

/** Reads from any place: who goes on where a reader stands gets that reader, which has the next page at hand. */
export class ReaderPool<Read extends Item> {
  readonly #options: ReadingOptions<Read>;
  /** Idle ones, the latest used last. */
  #idle: { readonly reader: PageReader<Read>; readonly timer: Timer }[] = [];
  #isClosed = false;

  constructor(options: ReadingOptions<Read>) {
    this.#options = options;
  }

  async read(after: number, through: number, limit: ReadLimit): Promise<readonly Read[]> {
    const reader = await this.#take(after);
    try {
      const page = await reader.next(through, limit);
      this.#giveBack(reader);
      return page;
    } catch (error) {
      reader.close();
      throw toStoreError(error, `read stream \`${this.#options.stream}\``);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { reader, timer } of this.#idle.splice(0)) {
      timer.cancel();
      reader.close();
    }
  }

  async #take(after: number): Promise<PageReader<Read>> {
    if (this.#isClosed) throw new StarcastError("log_closed", "Expected an open log, got one that was closed");
    const index = this.#idle.findIndex(({ reader }) => reader.after === after);
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (found !== undefined) {
      found.timer.cancel();
      return found.reader;
    }
    try {
      return await PageReader.open(this.#options, after);
    } catch (error) {
      throw toStoreError(error, `read stream \`${this.#options.stream}\``);
    }
  }

  #giveBack(reader: PageReader<Read>): void {
    if (this.#isClosed) return reader.close();
    const timer = this.#options.scheduler.after(idleMs, () => {
      this.#idle = this.#idle.filter((each) => each.reader !== reader);
      reader.close();
    });
    this.#idle.push({ reader, timer });
    if (this.#idle.length <= maxReaders) return;
    const oldest = this.#idle.shift();
    oldest?.timer.cancel();
    oldest?.reader.close();
  }
}

const idleMs = 10_000;
