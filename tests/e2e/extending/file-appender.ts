import { appendFile } from "node:fs/promises";
import { formatPosition, jsonEnvelope, type AnyBroker, type Batch, type Encoding, type Gap } from "@starcast/core";
import type { Line, Position, Subscriber, Subscription, Timer } from "@starcast/core";

const utf8 = new TextEncoder();
const lines: Encoding = { name: "lines", encode: (event) => utf8.encode(`${jsonEnvelope(event)}\n`) };

/** Appends every event to a file, one JSON text per line, at least once; goes on where it was after a restart. */
export class FileAppender implements Subscriber {
  readonly subscription: Subscription;
  readonly #broker: AnyBroker;
  readonly #path: string;
  #line: Line | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isFull = false;
  #timer: Timer | null = null;

  constructor(broker: AnyBroker, options: { readonly path: string; readonly name?: string }) {
    this.#broker = broker;
    this.#path = options.path;
    this.subscription = broker.attach(this, { name: options.name ?? "file" });
  }
  open(line: Line): void {
    this.#line = line;
    this.#isFull = false;
  }
  deliver(batch: Batch): number {
    if (this.#isFull) return 0;
    const { bytes, count } = batch.piece(lines, 0);
    const last = batch.events[count - 1];
    this.#append(bytes, last === undefined ? batch.through : { epoch: last.epoch, offset: last.offset });
    return count;
  }
  gap({ after, through, reason }: Gap): void {
    const data = { after: after && formatPosition(after), through: formatPosition(through), reason };
    this.#append(utf8.encode(`${JSON.stringify({ type: "client.gap", data })}\n`), through);
  }
  close(): Promise<void> {
    this.#timer?.cancel();
    return this.#writing;
  }
  #append(bytes: Uint8Array, through: Position): void {
    const line = this.#line;
    this.#isFull = true;
    this.#writing = this.#writing.then(async () => {
      if (line === null || line !== this.#line) return; // Rewound meanwhile: this is offered again.
      try {
        await appendFile(this.#path, bytes, { flush: true });
        line.acknowledge(through);
        this.#isFull = false;
        line.ready();
      } catch {
        this.#line = null; // Neither events nor places are lost: it is tried again in a second.
        this.#timer = this.#broker.surroundings.scheduler.after(1_000, () => line.rewind());
      }
    });
  }
}
