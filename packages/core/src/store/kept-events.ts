import { utf8Length } from "../event/snapshot.ts";
import type { DeliveredEvent } from "./delivery-store.ts";

/** Copies of delivered events, each once, until its last delivery lets go of it. */
export class KeptEvents {
  readonly #events = new Map<string, { readonly event: DeliveredEvent; deliveries: number }>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** What keeping these would add. */
  bytesOf(events: readonly DeliveredEvent[]): number {
    const unknown = new Map(events.filter(({ id }) => !this.#events.has(id)).map((event) => [event.id, event]));
    let bytes = 0;
    for (const event of unknown.values()) bytes += eventBytes(event);
    return bytes;
  }

  keep(event: DeliveredEvent): DeliveredEvent {
    const kept = this.#events.get(event.id);
    if (kept !== undefined) {
      kept.deliveries += 1;
      return kept.event;
    }
    const { id, type, subject, timestamp, json } = event;
    const copy = Object.freeze({ id, type, subject, timestamp, json });
    this.#events.set(id, { event: copy, deliveries: 1 });
    this.#bytes += eventBytes(copy);
    return copy;
  }

  letGo(event: DeliveredEvent): void {
    const kept = this.#events.get(event.id);
    if (kept === undefined) return;
    kept.deliveries -= 1;
    if (kept.deliveries > 0) return;
    this.#events.delete(event.id);
    this.#bytes -= eventBytes(kept.event);
  }
}

function eventBytes({ id, type, subject, json }: DeliveredEvent): number {
  return id.length + type.length + (subject === undefined ? 0 : utf8Length(subject)) + utf8Length(json);
}
