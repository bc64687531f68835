import type { Batch, CloseReason, Gap, Line, LogEvent, Position, Subscriber } from "@starcast/core";

/** What a subscriber was told, in order. */
export type Recorded =
  | { readonly kind: "opened"; readonly start: Line["start"] }
  | { readonly kind: "event"; readonly event: LogEvent; readonly offset: number }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "closed"; readonly reason: CloseReason };

export interface RecordingOptions {
  /** Events it takes before it is full. @default Infinity */
  readonly room?: number | undefined;
  /** Acknowledges what it takes, gaps included, in the same turn. @default false */
  readonly acknowledges?: boolean | undefined;
}

/** Takes what it has room for, writes down everything it is told, and hands it out again by `next`. */
export class RecordingSubscriber implements Subscriber {
  readonly recorded: Recorded[] = [];
  /** Every batch offered, whether taken or not. */
  readonly batches: Batch[] = [];
  /** The line of its present life. */
  line: Line | null = null;
  /** Every line it ever had, the dead ones first. */
  readonly lines: Line[] = [];
  #room: number;
  readonly #acknowledges: boolean;
  #read = 0;
  #waiting: ((recorded: Recorded) => void)[] = [];

  constructor({ room = Infinity, acknowledges = false }: RecordingOptions = {}) {
    this.#room = room;
    this.#acknowledges = acknowledges;
  }

  get events(): readonly LogEvent[] {
    return this.recorded.flatMap((each) => (each.kind === "event" ? [each.event] : []));
  }

  get offsets(): readonly number[] {
    return this.events.map(({ offset }) => offset);
  }

  get gaps(): readonly Gap[] {
    return this.recorded.flatMap((each) => (each.kind === "gap" ? [each.gap] : []));
  }

  get closedBy(): CloseReason | null {
    const last = this.recorded.at(-1);
    return last?.kind === "closed" ? last.reason : null;
  }

  get room(): number {
    return this.#room;
  }

  open(line: Line): void {
    this.line = line;
    this.lines.push(line);
    this.#record({ kind: "opened", start: line.start });
  }

  deliver(batch: Batch): number {
    this.batches.push(batch);
    const taken = batch.events.slice(0, this.#room);
    this.#room -= taken.length;
    for (const event of taken) this.#record({ kind: "event", event, offset: event.offset });
    const last = taken.at(-1);
    if (last !== undefined) this.#acknowledge({ epoch: last.epoch, offset: last.offset });
    return taken.length;
  }

  gap(gap: Gap): void {
    this.#record({ kind: "gap", gap });
    this.#acknowledge(gap.through);
  }

  close(reason: CloseReason): void {
    this.#record({ kind: "closed", reason });
  }

  /** Makes room for so many more, and says so. */
  makeRoom(events: number): void {
    this.#room += events;
    this.line?.ready();
  }

  /** The next thing it was told that was not handed out yet; waits for it. */
  next(): Promise<Recorded> {
    const recorded = this.recorded[this.#read];
    this.#read += 1;
    return recorded === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(recorded);
  }

  #record(recorded: Recorded): void {
    this.recorded.push(recorded);
    this.#waiting.shift()?.(recorded);
  }

  #acknowledge(through: Position): void {
    if (this.#acknowledges) this.line?.acknowledge(through);
  }
}
