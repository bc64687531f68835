import type { Encoding } from "@starcast/core";
import type { Dialect } from "../dialect.ts";
import { plainDeflate, StreamWindow } from "./stream-window.ts";

/** The windows of a gateway: one per filter and subprotocol that somebody receives compressed. */
export class StreamWindows {
  readonly #minClients: number;
  readonly #streams = new Map<Dialect, { readonly alone: Encoding; readonly windows: Map<string, StreamWindow> }>();

  /** Below `minClients` of one filter compressing is left out. */
  constructor(minClients: number) {
    this.#minClients = minClients;
  }

  join(dialect: Dialect, filterKey: string): StreamWindow {
    const { alone, windows } = this.#streamOf(dialect);
    let window = windows.get(filterKey);
    if (window === undefined) {
      window = new StreamWindow(dialect, filterKey, alone);
      windows.set(filterKey, window);
    }
    window.members += 1;
    return window;
  }

  leave(dialect: Dialect, window: StreamWindow): void {
    window.members -= 1;
    if (window.members === 0) this.#streamOf(dialect).windows.delete(window.filterKey);
  }

  /** Frames that need nothing that came before. */
  alone(dialect: Dialect): Encoding {
    return this.#streamOf(dialect).alone;
  }

  isWorthIt(window: StreamWindow): boolean {
    return window.members >= this.#minClients;
  }

  #streamOf(dialect: Dialect) {
    let stream = this.#streams.get(dialect);
    if (stream === undefined) {
      stream = { alone: plainDeflate(dialect), windows: new Map() };
      this.#streams.set(dialect, stream);
    }
    return stream;
  }
}
