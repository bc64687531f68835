import { parsePosition } from "@starcast/core";
import type { BookFile } from "../durable/book-file.ts";
import { LatencyWindow } from "../watch/latency-window.ts";
import { Ledger } from "./ledger.ts";
import type { Tally } from "./ledger.ts";

/** An event as it arrives, over whichever transport. */
export interface Arrived {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly subject?: string | undefined;
  readonly data: unknown;
}

/** Whoever receives, by whichever transport: books what arrives, and how long it took. */
export class Receiver {
  readonly name: string;
  readonly #epoch: string;
  readonly #ledger: Ledger;
  readonly #book: BookFile | null;
  readonly #onArrived = new Set<() => void>();
  readonly latencies = new LatencyWindow();

  /** Books everything after this place of the log; with a book, after where that begins, over any number of lives. */
  constructor(name: string, after: { readonly epoch: string; readonly offset: number }, book: BookFile | null = null) {
    this.name = name;
    this.#epoch = after.epoch;
    this.#book = book;
    this.#ledger = book?.open(after) ?? new Ledger(after.offset);
  }

  get tally(): Tally {
    return this.#ledger.tally;
  }

  get position(): string {
    return `${this.#epoch}-${this.tally.through}`;
  }

  /** Books an arrival. What is of another log is somebody else's, at an MQTT broker that others use too. */
  take(event: Arrived): void {
    const position = parsePosition(event.id);
    if (position?.epoch !== this.#epoch) return;
    this.#book?.arrived(event.id);
    const isNew = this.#ledger.book(position.offset);
    this.#book?.settle(this.#epoch, this.#ledger);
    if (!isNew) return;
    this.latencies.add(Date.now() - Date.parse(event.timestamp));
    for (const tell of this.#onArrived) tell();
  }

  /** Books events that were told never to come. */
  takeGap(through: string): void {
    const position = parsePosition(through);
    if (position?.epoch !== this.#epoch) return;
    this.#book?.gap(through);
    this.#ledger.bookGap(position.offset);
    for (const tell of this.#onArrived) tell();
  }

  /** Resolves once this holds of the tally; looks at every arrival. */
  async until(holds: (tally: Tally) => boolean): Promise<void> {
    if (holds(this.tally)) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds(this.tally)) return;
        this.#onArrived.delete(look);
        resolve();
      };
      this.#onArrived.add(look);
    });
  }
}
