import type { Model } from "@starcast/catalog";
import type { AnyBroker, Batch, Moment, Position, Subscriber } from "@starcast/core";
import { formatPosition } from "@starcast/core";

/** Somebody who asks before the first sync is over waits so long. */
const readyWithinMs = 10_000;

/**
 * The catalog of now and the place in the log it is the state of, as one: what replicas load. Begins with what the first
 * sync of this process ends with, and follows the log from there.
 */
export class LiveCatalog implements Subscriber {
  readonly #entries = new Map<string, Model>();
  readonly #broker: AnyBroker;
  readonly #synced: () => ReadonlyMap<string, Model>;
  #position: Position;
  #isReady = false;
  #becomeReady: () => void = () => undefined;
  readonly #ready = new Promise<void>((resolve) => (this.#becomeReady = resolve));

  /** `synced` gives what the sync has published. */
  constructor(broker: AnyBroker, synced: () => ReadonlyMap<string, Model>) {
    this.#broker = broker;
    this.#synced = synced;
    this.#position = broker.position;
    broker.attach(this, { from: "latest" });
  }

  get size(): number {
    return this.#entries.size;
  }

  /** An observer: the end of the first sync is where it begins. */
  observe(moment: Moment): void {
    if (this.#isReady || moment.kind !== "catalogSynced" || moment.report.kind === "standby") return;
    for (const [key, model] of this.#synced()) this.#entries.set(key, model);
    this.#position = this.#broker.position;
    this.#isReady = true;
    this.#becomeReady();
  }

  /** Null when it is not known in time. */
  async load(provider: string | null): Promise<Loaded | null> {
    await Promise.race([this.#ready, new Promise((resolve) => setTimeout(resolve, readyWithinMs).unref())]);
    if (!this.#isReady) return null;
    const entries = [...this.#entries];
    return {
      position: formatPosition(this.#position),
      entries: provider === null ? entries : entries.filter(([key]) => key.startsWith(`${provider}/`)),
    };
  }

  /** For the mirror; waits for the beginning. */
  async snapshot(): Promise<ReadonlyMap<string, Model>> {
    await this.#ready;
    return new Map(this.#entries);
  }

  deliver({ events, through }: Batch): number {
    if (!this.#isReady) return events.length;
    for (const event of events) {
      // The beginning knows it already.
      if (event.offset <= this.#position.offset) continue;
      const { type, subject = "" } = event;
      if (type === "model.deleted") this.#entries.delete(subject);
      else if (type === "model.added" || type === "model.updated") this.#entries.set(subject, modelOf(event.data));
    }
    if (through.offset > this.#position.offset) this.#position = through;
    return events.length;
  }

  gap(): void {
    // It is told in the same turn of whatever the log takes: nothing is ever too old for it.
  }

  close(): void {
    this.#becomeReady();
  }
}

export interface Loaded {
  readonly position: string;
  readonly entries: readonly (readonly [string, Model])[];
}

// The vocabulary of the catalog carries a model in each of these.
function modelOf(data: unknown): Model {
  return (data as { readonly model: Model }).model;
}
