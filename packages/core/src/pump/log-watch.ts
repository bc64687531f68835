import type { StoredEvent } from "../event/event.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { EventLog } from "../log/event-log.ts";
import type { EventRing } from "../log/event-ring.ts";

/** Brings what is committed into the hot window: always, or, where watching costs much, from when somebody needs it. */
export class LogWatch {
  readonly #log: EventLog;
  readonly #window: EventRing<LogEvent>;
  readonly #onCommitted: (events: readonly StoredEvent[]) => void;
  #unwatch: (() => void) | null = null;

  constructor(log: EventLog, window: EventRing<LogEvent>, onCommitted: (events: readonly StoredEvent[]) => void) {
    this.#log = log;
    this.#window = window;
    this.#onCommitted = onCommitted;
    if (log.isWatchCostly !== true) this.begin();
  }

  /**
   * True when it began just now, with an empty window at the head. It goes on until closed: a gateway whose last client
   * left will have another.
   */
  begin(): boolean {
    if (this.#unwatch !== null) return false;
    this.#window.restart(this.#log.head);
    this.#unwatch = this.#log.watch(this.#onCommitted);
    return true;
  }

  close(): void {
    this.#unwatch?.();
  }
}
