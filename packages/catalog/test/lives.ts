import { Broker, MemoryStore, realSurroundings } from "@starcast/core";
import type { Moment, Store, StoredEvent } from "@starcast/core";
import { CatalogSync, catalogEvents } from "@starcast/catalog";
import type { CatalogSource, CatalogSyncOptions, Model } from "@starcast/catalog";

/** A model with a price, by its key. */
export function model(key: string, price = 1): Model {
  const slash = key.indexOf("/");
  return { provider: key.slice(0, slash), id: key.slice(slash + 1), pricing: { input: price } };
}

/** A world with one store that processes come and go in; its clock moves by hand. */
export class World {
  readonly shared: MemoryStore;
  readonly moments: Moment[] = [];
  /** What the source has. */
  entries: readonly Model[] = [];
  #now = 1_700_000_000_000;
  readonly #surroundings = { ...realSurroundings, clock: { now: () => this.#now } };

  constructor(options: { readonly maxEvents?: number } = {}) {
    const retention = options.maxEvents === undefined ? undefined : { maxEvents: options.maxEvents };
    this.shared = new MemoryStore({ surroundings: this.#surroundings, retention });
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  /** A process that syncs by hand over this store; the leases of those before it have ended. */
  start(
    store: Store = this.shared,
    options: Partial<CatalogSyncOptions<Model>> = {},
  ): { readonly broker: Broker; readonly sync: CatalogSync } {
    this.pass(60_000);
    const broker = new Broker({
      events: catalogEvents,
      store,
      observe: [(moment) => void this.moments.push(moment)],
      surroundings: this.#surroundings,
    });
    const source: CatalogSource<Model> = () => this.entries;
    return {
      broker: broker as unknown as Broker,
      sync: new CatalogSync(broker, { source, intervalMs: false, ...options }),
    };
  }

  /** Everything ever published and still retained, in order. */
  async published(): Promise<readonly StoredEvent[]> {
    return this.shared.log.read(0, { maxEvents: 100_000, maxBytes: Infinity });
  }

  /** The same, as short lines: `model.updated openai/gpt`. */
  async lines(): Promise<readonly string[]> {
    return (await this.published()).map(({ type, subject }) => `${type} ${subject ?? "-"}`);
  }
}
