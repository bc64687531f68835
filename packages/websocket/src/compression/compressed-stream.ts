import type { Batch, Piece } from "@starcast/core";
import type { Dialect } from "../dialect.ts";
import type { StreamWindow } from "./stream-window.ts";
import type { StreamWindows } from "./stream-windows.ts";

/** What one client's decoder has read, in two numbers; there is no compressor of its own. */
export class CompressedStream {
  readonly #windows: StreamWindows;
  readonly #dialect: Dialect;
  /** The client wants each message to stand for itself. */
  readonly #isEachAlone: boolean;
  #window: StreamWindow | null = null;
  /** Its decoder has read every event after this offset, up to its place. */
  #since = 0;

  constructor(windows: StreamWindows, dialect: Dialect, isEachAlone: boolean) {
    this.#windows = windows;
    this.#dialect = dialect;
    this.#isEachAlone = isEachAlone;
  }

  /** It goes on after this offset: what came before does not adjoin. */
  goOnAfter(offset: number): void {
    this.#since = offset;
  }

  /** The piece from event number `from` on; it counts as written. */
  piece(batch: Batch, from: number): Piece {
    const window = this.#join(batch, from);
    if (!this.#windows.isWorthIt(window)) {
      const piece = batch.piece(this.#dialect.encoding, from);
      this.#since = batch.events[from + piece.count - 1]?.offset ?? this.#since;
      return piece;
    }
    if (this.#isEachAlone) return batch.piece(this.#windows.alone(this.#dialect), from);
    return window.piece(batch, from, this.#since);
  }

  /** Nothing more is written. Idempotent. */
  end(): void {
    if (this.#window !== null) this.#windows.leave(this.#dialect, this.#window);
    this.#window = null;
  }

  #join({ filterKey, events }: Batch, from: number): StreamWindow {
    if (this.#window?.filterKey === filterKey) return this.#window;
    this.end();
    this.#window = this.#windows.join(this.#dialect, filterKey);
    // What came under another filter is another stream.
    this.#since = (events[from]?.offset ?? 1) - 1;
    return this.#window;
  }
}
