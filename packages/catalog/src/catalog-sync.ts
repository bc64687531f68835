import { InvalidOptionError, StarcastError, isStarcastError } from "@starcast/core";
import type { AnyBroker, DrainPlan, Part, Timer } from "@starcast/core";
import { CatalogSyncer } from "./catalog-syncer.ts";
import type { Snapshot } from "./diff-catalogs.ts";
import type { Model } from "./model.ts";
import { resolveCatalogSyncOptions } from "./options.ts";
import type { CatalogSyncOptions, ResolvedCatalogSyncOptions } from "./options.ts";
import { nextPollMs } from "./poll-schedule.ts";
import type { PollOutcome } from "./poll-schedule.ts";
import type { SyncReport, SyncStatus } from "./sync-report.ts";

/** A closing broker waits so long for changes that are being published; what is left then follows at the next start. */
const finishWithinMs = 5_000;

/**
 * Follows a catalog: asks its source again and again, and publishes what changed. Live from construction, ends with the
 * broker. What was published is kept in the store's records, so a restart announces nothing twice, and nothing is left out:
 * changes cut off half-way are finished first. A source that fails changes nothing.
 */
export class CatalogSync<Entry = Model> {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedCatalogSyncOptions<Entry>;
  readonly #syncer: CatalogSyncer<Entry>;
  readonly #unregister: () => void;
  /** Ends waiting for the source. */
  readonly #stopping = new AbortController();
  /** Ends publishing, between two windows. */
  readonly #cutting = new AbortController();
  #state: "waiting" | "syncing" | "stopped" = "waiting";
  #failures = 0;
  #timer: Timer | null = null;
  #running: Promise<SyncReport> | null = null;
  #next: Promise<SyncReport> | null = null;

  /** Throws `invalid_option`, and `name_taken` for a second sync of that name. */
  constructor(broker: AnyBroker, options: CatalogSyncOptions<Entry>) {
    this.#broker = broker;
    this.#options = resolveCatalogSyncOptions(options);
    refuseForeignVocabulary(broker, this.#options.kind);
    this.#syncer = new CatalogSyncer(broker, this.#options);
    this.#unregister = broker.register(this.#asPart());
    if (this.#options.intervalMs !== false) this.#pollAfter(0);
  }

  /** The catalog as it was published last; empty until the first sync of this process. */
  get snapshot(): Snapshot<Entry> {
    return this.#syncer.snapshot;
  }

  get status(): SyncStatus {
    return { state: this.#state, ...this.#syncer.status, failures: this.#failures, entries: this.snapshot.size };
  }

  /**
   * Asks the source now. A call while a sync is under way starts one more after it, one for all such calls: what the
   * source has at the time of the call is always seen. Rejects with what went wrong; the observer is told as well, and a
   * rejection nobody looks at does not end the process.
   */
  sync(): Promise<SyncReport> {
    // It begins as soon as whoever waits for the one before has been told, who may call again.
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#start();
    const next = this.#running.then(ignore, ignore).then(() => {
      this.#next = null;
      return this.#start();
    });
    this.#next = next;
    return quiet(next);
  }

  /** Idempotent; waits for what is being published. The broker's own `close` does this first of all. */
  async close(): Promise<void> {
    const { clock } = this.#broker.surroundings;
    await this.#drain(clock.now() + finishWithinMs);
    this.#unregister();
  }

  #start(): Promise<SyncReport> {
    if (this.#stopping.signal.aborted) {
      const message = `Expected an open sync, got \`${this.#options.name}\`, which was closed`;
      return quiet(Promise.reject(new StarcastError("broker_closed", message)));
    }
    this.#timer?.cancel();
    this.#state = "syncing";
    const running = this.#syncer.sync({ asking: this.#stopping.signal, publishing: this.#cutting.signal });
    this.#running = running;
    return quiet(
      running.then(
        (report) => this.#succeeded(report),
        (error: unknown) => this.#failed(error),
      ),
    );
  }

  #succeeded(report: SyncReport): SyncReport {
    this.#failures = 0;
    const level = report.kind === "published" || report.kind === "baseline" ? "info" : "debug";
    this.#broker.observe({ kind: "catalogSynced", level, catalog: this.#options.name, report });
    this.#ended(report.kind);
    return report;
  }

  #failed(error: unknown): never {
    this.#failures += 1;
    const isTerminal = isStarcastError(error, "not_authorized");
    if (isTerminal) {
      this.#broker.observe({ kind: "catalogSyncStopped", level: "warn", catalog: this.#options.name, error });
    } else if (!this.#stopping.signal.aborted) {
      this.#broker.observe({
        kind: "catalogSyncFailed",
        level: "warn",
        catalog: this.#options.name,
        failures: this.#failures,
        error,
      });
    }
    this.#ended(isTerminal ? "refused" : "failed");
    throw error;
  }

  #ended(outcome: PollOutcome | "refused"): void {
    this.#running = null;
    const { intervalMs } = this.#options;
    if (outcome === "refused" || this.#stopping.signal.aborted) this.#state = "stopped";
    else {
      this.#state = "waiting";
      if (intervalMs === false) return;
      this.#pollAfter(nextPollMs(outcome, this.#failures, intervalMs, this.#broker.surroundings.random.next()));
    }
  }

  #pollAfter(ms: number): void {
    this.#timer = this.#broker.surroundings.scheduler.after(ms, () => void this.#start());
  }

  #asPart(): Part {
    const isSyncing = (): number => (this.#running === null ? 0 : 1);
    return {
      name: `catalog ${this.#options.name}`,
      // First of all to end: what it publishes last still reaches every client.
      stage: "rest",
      get size() {
        return isSyncing();
      },
      stop: () => this.#stop(),
      drain: ({ deadline }: DrainPlan) =>
        this.#drain(Math.min(deadline, this.#broker.surroundings.clock.now() + finishWithinMs)),
    };
  }

  #stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
    if (this.#running === null) this.#state = "stopped";
  }

  async #drain(deadline: number): Promise<readonly string[]> {
    this.#stop();
    const { clock, scheduler } = this.#broker.surroundings;
    const timer = scheduler.after(Math.max(0, deadline - clock.now()), () => this.#cutting.abort(), {
      holdsProcess: true,
    });
    let wasCut = false;
    for (let running = this.#running; running !== null; running = this.#running) {
      await running.catch(ignore);
      wasCut = this.#cutting.signal.aborted;
    }
    timer.cancel();
    return wasCut
      ? [`catalog ${this.#options.name}: changes not yet published, which follow at the next start of a durable store`]
      : [];
  }
}

function refuseForeignVocabulary(broker: AnyBroker, kind: { readonly noun: string }): void {
  const types = ["added", "updated", "deleted"].map((change) => `${kind.noun}.${change}`);
  const { vocabulary } = broker;
  const missing = [...types, "sync.started", "sync.completed"].find(
    (type) => vocabulary.isClosed && !vocabulary.has(type),
  );
  if (missing === undefined) return;
  throw new InvalidOptionError({
    option: "events",
    expected: `a vocabulary with \`${missing}\`, as defineCatalogEvents(kind) makes`,
    received: vocabulary.types.join(", "),
  });
}

/** The caller may look at a rejection or not: a poll has none, and the observer was told. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(ignore);
  return promise;
}

function ignore(): undefined {
  return undefined;
}
