import { maxPagePieceBytes } from "../encoding/batch.ts";
import { EventRun, firstIndexAfter } from "../encoding/run.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { CompiledFilter } from "./filter.ts";

/** Events in one page; pages begin and end on multiples of it, so that cursors which start anywhere fall into step. */
export const pageEvents = 256;

/** Consecutive events read together, with what each filter lets through of them. Immutable, shared by cursors. */
export class Page {
  readonly epoch: string;
  /** The events of the page are those after `after` up to `through`, without a hole. */
  readonly after: number;
  readonly through: number;
  readonly sizeBytes: number;
  readonly #events: readonly LogEvent[];
  readonly #runs = new Map<string, EventRun>();

  constructor(epoch: string, after: number, through: number, events: readonly LogEvent[]) {
    this.epoch = epoch;
    this.after = after;
    this.through = through;
    this.#events = events;
    this.sizeBytes = events.reduce((bytes, event) => bytes + event.sizeBytes, 0);
  }

  /** What a filter lets through; made once per filter. */
  run(filter: CompiledFilter): EventRun {
    let run = this.#runs.get(filter.key);
    if (run === undefined) {
      run = new EventRun(
        this.epoch,
        this.after,
        this.through,
        this.#events.filter((event) => filter.matches(event)),
        filter.key,
        maxPagePieceBytes,
      );
      // Clients may bring as many filters as they like; the page remembers those that came first.
      if (this.#runs.size < maxRunsPerPage) this.#runs.set(filter.key, run);
    }
    return run;
  }

  /** True when the next event of a cursor at this offset is here. */
  holdsAfter(offset: number): boolean {
    return this.after <= offset && offset < this.through;
  }

  /** The same page up to this offset only. */
  upTo(through: number): Page {
    if (through >= this.through) return this;
    return new Page(this.epoch, this.after, through, this.#events.slice(0, firstIndexAfter(this.#events, through)));
  }
}

const maxRunsPerPage = 64;

/** The offset before the first event of the page that holds the event after `offset`. */
export function pageStart(offset: number): number {
  return offset - (offset % pageEvents);
}
