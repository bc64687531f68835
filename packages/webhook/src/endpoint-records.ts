import { isStarcastError, StarcastError, type AnyBroker } from "@starcast/core";
import {
  enliven,
  formatEndpoint,
  needsSealing,
  ownerOf,
  parseEndpoint,
  parseLocked,
  type EndpointRecord,
  type LiveEndpoint,
} from "./endpoint.ts";
import type { ResolvedWebhookDispatcherOptions } from "./options.ts";

/** Endpoints per dispatcher; each is matched against every event. */
export const maxEndpoints = 10_000;

const sealedAtOnce = 100;

/** How often a change is tried again when another process changed the same endpoint at the same time. */
const maxCollisions = 5;

// One name space for all dispatchers of a store, as deliveries know endpoints by their id alone.
const prefix = "webhooks/endpoints/";

/** The endpoints as they are kept: one record each in the store, and ready for use in memory. */
export class EndpointRecords {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedWebhookDispatcherOptions;
  readonly #live = new Map<string, LiveEndpoint>();
  /** Those whose secrets cannot be opened: what is published for them is kept all the same. */
  readonly #locked = new Map<string, LiveEndpoint>();
  /** What `wanting` gives, until one of these changes. */
  #wanting: readonly LiveEndpoint[] | null = null;
  /** Those whose secrets are still to be sealed. */
  readonly #unsealed = new Set<string>();
  readonly #onChanged: (id: string) => void;
  #changes = 0;
  #loading: Promise<void> | null = null;
  /** What the store's records had when they were read last; null where only this process changes them. */
  #revision: number | null = null;

  constructor(broker: AnyBroker, options: ResolvedWebhookDispatcherOptions, onChanged: (id: string) => void) {
    this.#broker = broker;
    this.#options = options;
    this.#onChanged = onChanged;
  }

  /** In no order; only those that could be read. */
  get all(): Iterable<LiveEndpoint> {
    return this.#live.values();
  }

  /**
   * Those that deliveries are stored for as events come, also while their secrets cannot be opened. One that still gets
   * what it missed gets these after it, in order; not where others share the store, as no order holds among processes.
   */
  get wanting(): readonly LiveEndpoint[] {
    this.#wanting ??= [...this.#live.values(), ...this.#locked.values()].filter(
      ({ record }) => record.catchUp === null || this.areShared,
    );
    return this.#wanting;
  }

  find(id: string): LiveEndpoint | undefined {
    return this.#live.get(id);
  }

  /** Grows with every change: what was found out of them before may be wrong now. */
  get changes(): number {
    return this.#changes;
  }

  /** Other processes may change them: then what is known here may be old. */
  get areShared(): boolean {
    return this.#broker.store.records.revision !== undefined;
  }

  /** Resolves when every change that was acknowledged before this call is known here, whoever made it. */
  async refresh(): Promise<void> {
    const revision = await this.#broker.store.records.revision?.();
    if (revision !== undefined && revision !== this.#revision) await this.reload();
  }

  /** Resolves once the endpoints of the store are known; reads them at most once. */
  load(): Promise<void> {
    this.#loading ??= this.reload().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  /** Reads the records again: another process may have changed them. One that cannot be read is told and left out. */
  async reload(): Promise<void> {
    const revision = (await this.#broker.store.records.revision?.()) ?? null;
    // One that is put while the records are being read must not be taken for removed.
    const gone = new Set([...this.#live.keys(), ...this.#locked.keys()]);
    for (const { key, value, revision } of await this.#broker.store.records.list(prefix)) {
      const id = key.slice(prefix.length);
      gone.delete(id);
      if ((this.#live.get(id)?.revision ?? 0) >= revision) continue;
      try {
        this.#keep(parseEndpoint(value, this.#options.box), revision);
        if (this.#live.has(id) && needsSealing(value, this.#options.box)) this.#unsealed.add(id);
      } catch (error) {
        this.#live.delete(id);
        this.#lock(value, revision);
        this.#tellChanged(id);
        this.#broker.observe({ kind: "webhookEndpointUnreadable", level: "warn", endpointId: id, error });
      }
    }
    for (const id of gone) this.#forget(id);
    this.#revision = revision;
  }

  /** Seals what was stored before there was a key, or by a former one: that can go then. */
  async seal(): Promise<void> {
    const ids = [...this.#unsealed];
    // Some at once, which a durable engine commits together. Each is written anew as it is.
    for (let at = 0; at < ids.length; at += sealedAtOnce)
      await Promise.all(ids.slice(at, at + sealedAtOnce).map((id) => this.#sealOne(id)));
  }

  async #sealOne(id: string): Promise<void> {
    // Removed, or changed, and so sealed, meanwhile.
    if (!this.#unsealed.has(id) || !this.#live.has(id)) return;
    await this.update(id, (known) => ({ ...known }));
  }

  /** Makes or changes one record, even if another process changes it too; `null` is one that is not there yet. */
  async change(
    id: string,
    change: (known: EndpointRecord | null, revision: number) => EndpointRecord,
  ): Promise<EndpointRecord> {
    await this.load();
    const { records } = this.#broker.store;
    for (let collisions = 0; ; collisions += 1) {
      const stored = await records.get(prefix + id);
      const known = stored === null ? null : this.#own(parseEndpoint(stored.value, this.#options.box));
      if (known === null && this.#live.size >= maxEndpoints) {
        throw new StarcastError("overloaded", `Expected at most ${maxEndpoints} endpoints, got one more`);
      }
      const ifRevision = stored?.revision ?? 0;
      const changed = change(known, ifRevision);
      if (changed === known) return changed;
      try {
        this.#keep(changed, await records.put(prefix + id, formatEndpoint(changed, this.#options.box), { ifRevision }));
        return changed;
      } catch (error) {
        if (collisions >= maxCollisions || !isStarcastError(error, "stale_claim")) throw error;
      }
    }
  }

  /** As `change`, for one that is there; rejects with `not_found`. */
  update(id: string, change: (known: EndpointRecord, revision: number) => EndpointRecord): Promise<EndpointRecord> {
    return this.change(id, (known, revision) => {
      if (known === null) throw new StarcastError("not_found", `Expected an endpoint that was put, got \`${id}\``);
      return change(known, revision);
    });
  }

  /** Forgets the record, then its deliveries; true when there was one. */
  async remove(id: string): Promise<boolean> {
    await this.load();
    const { records, deliveries } = this.#broker.store;
    const stored = await records.get(prefix + id);
    if (stored !== null) {
      // Also where its secrets cannot be opened any more.
      this.#own({ id, dispatcher: ownerOf(stored.value) ?? this.#options.name });
      await records.remove(prefix + id);
      this.#forget(id);
    }
    // Without a record, too: an earlier call may have been broken off here.
    await deliveries.removeEndpoint(id);
    return stored !== null;
  }

  #own<Owned extends Pick<EndpointRecord, "id" | "dispatcher">>(record: Owned): Owned {
    if (record.dispatcher === this.#options.name) return record;
    throw new StarcastError(
      "name_taken",
      `Expected an endpoint id of this dispatcher, got \`${record.id}\`, which belongs to \`${record.dispatcher}\``,
    );
  }

  #keep(record: EndpointRecord, revision: number): void {
    const known = this.#live.get(record.id);
    if (record.dispatcher !== this.#options.name || (known !== undefined && known.revision > revision)) return;
    this.#live.set(record.id, enliven(record, revision, this.#options));
    this.#locked.delete(record.id);
    this.#unsealed.delete(record.id);
    this.#tellChanged(record.id);
  }

  #lock(text: string, revision: number): void {
    const record = parseLocked(text);
    if (record?.dispatcher === this.#options.name)
      this.#locked.set(record.id, enliven(record, revision, this.#options));
  }

  #forget(id: string): void {
    this.#live.delete(id);
    this.#locked.delete(id);
    this.#unsealed.delete(id);
    this.#tellChanged(id);
  }

  #tellChanged(id: string): void {
    this.#changes += 1;
    this.#wanting = null;
    this.#onChanged(id);
  }
}
