import { StarcastError, isStarcastError } from "@starcast/core";
import type { AnyBroker, Lease } from "@starcast/core";
import { announcementsOf, countsOf } from "./announcement.ts";
import { Announcer, announceWindow } from "./announcer.ts";
import { askSource } from "./ask-source.ts";
import { diffSnapshots } from "./diff-catalogs.ts";
import type { Snapshot } from "./diff-catalogs.ts";
import { findAnnounced, nothingAnnounced } from "./find-announced.ts";
import type { Announced } from "./find-announced.ts";
import { KeptCatalog } from "./kept-catalog.ts";
import type { Kept, Pending } from "./kept-catalog.ts";
import type { ResolvedCatalogSyncOptions } from "./options.ts";
import { readAnswer } from "./read-answer.ts";
import type { ReadAnswer } from "./read-answer.ts";
import type { SyncReport } from "./sync-report.ts";

/** How long a process that syncs may be silent before another takes over; renewed three times as often. */
export const leaseMs = 10_000;

/** What ends a sync: before it publishes, and while it does. */
export interface SyncSignals {
  readonly asking: AbortSignal;
  readonly publishing: AbortSignal;
}

type ReadCatalog<Entry> = Extract<ReadAnswer<Entry>, { kind: "catalog" }>;

/** One sync after the other: what an earlier one left unfinished is finished, then the source is asked. */
export class CatalogSyncer<Entry> {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedCatalogSyncOptions<Entry>;
  readonly #kept: KeptCatalog<Entry>;
  readonly #announcer: Announcer;
  /** The catalog that is published, or is being published, as far as this process knows. */
  #snapshot: Snapshot<Entry> = new Map();
  #version: string | null = null;
  #answeredAt: number | null = null;
  #publishedAt: number | null = null;

  constructor(broker: AnyBroker, options: ResolvedCatalogSyncOptions<Entry>) {
    this.#broker = broker;
    this.#options = options;
    this.#kept = new KeptCatalog(broker.store.records, options.kind, options.name);
    this.#announcer = new Announcer(broker, options.name);
  }

  get snapshot(): Snapshot<Entry> {
    return this.#snapshot;
  }

  get status(): {
    readonly answeredAt: number | null;
    readonly publishedAt: number | null;
    readonly version: string | null;
  } {
    return { answeredAt: this.#answeredAt, publishedAt: this.#publishedAt, version: this.#version };
  }

  /** Rejects when it cannot be completed now; what is published and kept by then stays right, and the next call goes on. */
  async sync(signals: SyncSignals): Promise<SyncReport> {
    const { checkpoints } = this.#broker.store;
    const lease = await checkpoints.acquire(`catalog/${this.#options.name}`, leaseMs);
    if (lease === null) return { kind: "standby" };
    const renewing = this.#keepRenewing(lease);
    try {
      const either = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, renewing.lost]);
      return await this.#syncHolding({ asking: either(signals.asking), publishing: either(signals.publishing) });
    } catch (error) {
      // What was written of it, and by whom, is for the records to say.
      this.#kept.forget();
      throw error;
    } finally {
      renewing.stop();
      // A lease that cannot be given back ends by itself.
      await checkpoints.release(lease).catch(() => undefined);
    }
  }

  async #syncHolding(signals: SyncSignals): Promise<SyncReport> {
    const unfinished = await this.#kept.load();
    const finished = unfinished?.pending ? await this.#finish(unfinished.pending, signals.publishing) : null;
    const kept = await this.#kept.load();
    if (kept !== null) this.#remember(kept);
    const report = await this.#askAndPublish(kept, signals);
    // A call that only finished what was begun still tells what it published.
    return report.kind === "unchanged" && finished !== null ? finished : report;
  }

  async #askAndPublish(kept: Kept<Entry> | null, { asking, publishing }: SyncSignals): Promise<SyncReport> {
    const question = { known: kept?.version ?? null, timeoutMs: this.#options.sourceTimeoutMs, signal: asking };
    const answer = readAnswer(
      await askSource(this.#options.source, question, this.#broker.surroundings),
      this.#options,
    );
    this.#answeredAt = this.#now();
    if (answer.kind === "unchanged") {
      if (kept !== null) return { kind: "unchanged", entries: kept.snapshot.size };
      throw new StarcastError("source_failed", "Expected a first catalog of the source, got `unchanged`");
    }
    this.#refuseVanished(kept, answer);
    if (kept === null && this.#options.firstLoad === "baseline") return this.#keepBaseline(answer);
    return this.#publish(kept, answer, publishing);
  }

  async #keepBaseline({ snapshot, version, bytes }: ReadCatalog<Entry>): Promise<SyncReport> {
    await this.#kept.keepBaseline(snapshot, version, bytes);
    this.#remember({ snapshot, version });
    return { kind: "baseline", entries: snapshot.size };
  }

  async #publish(kept: Kept<Entry> | null, answer: ReadCatalog<Entry>, signal: AbortSignal): Promise<SyncReport> {
    const { kind } = this.#options;
    const diff = diffSnapshots(kept?.snapshot ?? new Map<string, Entry>(), answer.snapshot);
    const announcements = announcementsOf(diff, kind);
    if (announcements.length === 0 && kept !== null) {
      await this.#kept.keepVersion(answer.version);
      this.#version = answer.version;
      return { kind: "unchanged", entries: kept.snapshot.size };
    }
    const run = {
      run: this.#makeRunId(),
      after: this.#broker.position,
      startedAt: this.#now(),
      version: answer.version,
    };
    const pending = await this.#kept.begin({ ...run, counts: countsOf(diff), announcements }, answer.bytes);
    return this.#announceAll(pending, nothingAnnounced, signal);
  }

  async #finish(pending: Pending, signal: AbortSignal): Promise<SyncReport> {
    const { log } = this.#broker.store;
    return this.#announceAll(pending, await findAnnounced(log, pending, this.#options.name, announceWindow), signal);
  }

  async #announceAll(pending: Pending, announced: Announced, signal: AbortSignal): Promise<SyncReport> {
    const { refused, durationMs } = await this.#announcer.announce(pending, announced, signal);
    this.#publishedAt = this.#now();
    const snapshot = await this.#kept.finish(pending);
    this.#remember({ snapshot, version: pending.version });
    return { kind: "published", entries: snapshot.size, refused, durationMs, ...pending.counts };
  }

  #refuseVanished(kept: Kept<Entry> | null, { snapshot }: ReadCatalog<Entry>): void {
    if (this.#options.allowEmpty || snapshot.size > 0 || (kept?.snapshot.size ?? 0) === 0) return;
    throw new StarcastError(
      "source_failed",
      `Expected some of ${kept?.snapshot.size} entries still in the catalog, got none: set allowEmpty if it may become empty`,
    );
  }

  #remember({ snapshot, version }: { readonly snapshot: Snapshot<Entry>; readonly version: string | null }): void {
    this.#snapshot = snapshot;
    this.#version = version;
  }

  #keepRenewing(lease: Lease): { readonly lost: AbortSignal; stop(): void } {
    const { checkpoints } = this.#broker.store;
    const { scheduler } = this.#broker.surroundings;
    const losing = new AbortController();
    const renew = (): void => {
      timer = scheduler.after(leaseMs / 3, renew);
      // Only a later holder ends ours; a store that fails for a moment may answer the next time.
      checkpoints.renew(lease, leaseMs).catch((error: unknown) => {
        if (isStarcastError(error, "lease_lost")) losing.abort(error);
      });
    };
    let timer = scheduler.after(leaseMs / 3, renew);
    return { lost: losing.signal, stop: () => timer.cancel() };
  }

  // Not secret: it only has to differ from the runs whose records may still be there.
  #makeRunId(): string {
    const { random } = this.#broker.surroundings;
    return Array.from({ length: 12 }, () => Math.floor(random.next() * 36).toString(36)).join("");
  }

  #now(): number {
    return this.#broker.surroundings.clock.now();
  }
}
