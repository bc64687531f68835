import { utf8Length } from "../event/snapshot.ts";
import type { DeliveredEvent } from "./delivery-store.ts";

/** Copies of delivered events, each once, until its last delivery lets go of it. */
export class KeptEvents {
  readonly #events = new Map<string, KeptEvent>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** At least what keeping these would add, and quickly had: no text is measured. */
  static boundOf(drafts: readonly { readonly event: DeliveredEvent }[]): number {
    let bytes = 0;
    for (const { event } of drafts) {
      const { id, type, subject, json } = event;
      bytes += id.length + type.length + maxUtf8Bytes * ((subject?.length ?? 0) + json.length);
    }
    return bytes;
  }

  /** What keeping these would add, at most: an event that comes several times is counted once only where it comes in a row. */
  bytesOf(events: Iterable<DeliveredEvent>): number {
    let bytes = 0;
    let before: DeliveredEvent | null = null;
    for (const event of events) {
      if (event.id !== before?.id && !this.#events.has(event.id)) bytes += eventBytes(event);
      before = event;
    }
    return bytes;
  }

  keep(event: DeliveredEvent): DeliveredEvent {
    let kept = this.#events.get(event.id);
    if (kept === undefined) {
      kept = new KeptEvent(event);
      this.#events.set(kept.id, kept);
      this.#bytes += kept.bytes;
    }
    kept.take();
    return kept;
  }

  letGo({ id }: DeliveredEvent): void {
    const kept = this.#events.get(id);
    if (kept === undefined || !kept.isLetGo()) return;
    this.#events.delete(id);
    this.#bytes -= kept.bytes;
  }
}

// The count stands in the event itself: one object for each that is kept, where two were a third more work for the collector.
class KeptEvent implements DeliveredEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly timestamp: string;
  readonly json: string;
  readonly #bytes: number;
  #deliveries = 0;

  constructor(event: DeliveredEvent) {
    const { id, type, subject, timestamp, json } = event;
    this.id = id;
    this.type = type;
    this.subject = subject;
    this.timestamp = timestamp;
    this.json = json;
    this.#bytes = eventBytes(event);
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(): void {
    this.#deliveries += 1;
  }

  /** One delivery less; true when it was the last. */
  isLetGo(): boolean {
    this.#deliveries -= 1;
    return this.#deliveries === 0;
  }
}

function eventBytes({ id, type, subject, json }: DeliveredEvent): number {
  return id.length + type.length + (subject === undefined ? 0 : utf8Length(subject)) + utf8Length(json);
}

/** Of one UTF-16 unit. */
const maxUtf8Bytes = 3;
