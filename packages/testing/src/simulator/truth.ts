import type { EventLog, StoredEvent } from "@starcast/core";
import type { Sieve } from "./sieve.ts";

/** What was committed, read from the engine itself, behind everything that could be wrong. */
export class Truth {
  readonly #report: (problem: string) => void;
  #log: EventLog | null = null;
  #events: (StoredEvent | undefined)[] = [];
  #trimmed = 0;
  readonly #epochs: string[] = [];

  constructor(report: (problem: string) => void) {
    this.#report = report;
  }

  /** An engine was opened: what anybody was told before must still be so, or be of another epoch now. */
  async begin(log: EventLog, mayBeginAnew: boolean): Promise<void> {
    if (this.#log === log) return;
    const isNew = log.epoch !== this.epoch;
    const retained = await log.read(0, { maxEvents: Number.MAX_SAFE_INTEGER, maxBytes: Infinity });
    if (!isNew) this.#compare(log, retained);
    else if (this.#epochs.includes(log.epoch)) this.#report(`the engine is in the past epoch ${log.epoch} again`);
    else if (this.#epochs.length > 0 && !mayBeginAnew)
      this.#report("the engine began a new epoch, having lost nothing");
    if (isNew) {
      this.#events = [];
      this.#epochs.push(log.epoch);
    }
    this.#events.length = log.head;
    for (const event of retained) this.#events[event.offset - 1] = event;
    this.#log = log;
    this.#trimmed = log.trimmedThrough;
    // First of all watchers: whoever is told of an event later finds it here.
    log.watch((events) => {
      if (this.#log === log) for (const event of events) this.#committed(event);
    });
  }

  get epoch(): string {
    return this.#epochs.at(-1) ?? "";
  }

  /** The current one last. */
  get epochs(): readonly string[] {
    return this.#epochs;
  }

  get head(): number {
    return this.#events.length;
  }

  get trimmedThrough(): number {
    return this.#log?.trimmedThrough ?? 0;
  }

  at(offset: number): StoredEvent | undefined {
    return this.#events[offset - 1];
  }

  /** The first event after `after` up to `through` that a sieve lets through and nobody has done. */
  firstMatch(
    after: number,
    through: number,
    sieve: Sieve,
    isDone: (offset: number) => boolean = () => false,
  ): StoredEvent | undefined {
    for (let offset = Math.max(after, 0) + 1; offset <= Math.min(through, this.head); offset += 1) {
      const event = this.at(offset);
      if (event !== undefined && sieve.matches(event) && !isDone(offset)) return event;
    }
    return undefined;
  }

  #committed(event: StoredEvent): void {
    if (event.offset !== this.head + 1) this.#report(`the log told of offset ${event.offset} after ${this.head}`);
    this.#events[event.offset - 1] = event;
    this.#trimmed = this.trimmedThrough;
  }

  #compare(log: EventLog, retained: readonly StoredEvent[]): void {
    if (log.head < this.head)
      this.#report(`the engine lost offsets ${log.head + 1} to ${this.head}, and has the same epoch`);
    if (log.trimmedThrough < this.#trimmed)
      this.#report(`the engine had trimmed through ${this.#trimmed}, and says ${log.trimmedThrough} now`);
    let next = log.trimmedThrough + 1;
    for (const event of retained) {
      if (event.offset !== next) this.#report(`the engine retains offset ${event.offset} after ${next - 1}`);
      next = event.offset + 1;
      const known = this.at(event.offset);
      if (known !== undefined && !isSameEvent(known, event))
        this.#report(`the engine holds other content under offset ${event.offset}: ${event.json}, was ${known.json}`);
    }
    if (next !== log.head + 1) this.#report(`the engine retains up to ${next - 1}, and says its head is ${log.head}`);
  }
}

export function isSameEvent(
  one: Pick<StoredEvent, "type" | "subject" | "timestamp" | "json">,
  other: Pick<StoredEvent, "type" | "subject" | "timestamp" | "json">,
): boolean {
  return (
    one.type === other.type &&
    one.subject === other.subject &&
    one.timestamp === other.timestamp &&
    one.json === other.json
  );
}
