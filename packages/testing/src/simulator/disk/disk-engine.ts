import { MemoryStore, StarcastError, type Store, type Surroundings } from "@starcast/core";
import { seededRandom } from "../../seeded-random.ts";
import type { Crash, EngineMaker, EngineRequest, SimulatedEngine } from "../engine.ts";
import { recoverEntries, encodeEntry, type Entry } from "./journal.ts";
import { JournaledStore, applied, type Replayed } from "./journaled-store.ts";
import { SimulatedFile } from "./simulated-file.ts";

/** A file on a disk with a write cache: syncs take time, writes tear, and a power cut takes what was not synced. */
export const diskEngine: EngineMaker = (request) => new DiskEngine(request);

class DiskEngine implements SimulatedEngine {
  readonly name: string;
  readonly isShared = false;
  readonly isReliable: boolean;
  readonly #request: EngineRequest;
  readonly #durability: "process" | "disk";
  readonly #maxSyncMs: number;
  readonly #tearing: number;
  readonly #file = new SimulatedFile();
  #boot = 1;
  #opened = 0;

  constructor(request: EngineRequest) {
    const { random } = request;
    this.#request = request;
    this.#durability = random.pick(["process", "disk"]);
    this.#maxSyncMs = random.pick([0, 3, 30]);
    this.#tearing = random.pick([0, 0, 0.02]);
    this.isReliable = this.#tearing === 0;
    this.name = `disk (${this.#durability}, syncs in ${this.#maxSyncMs} ms, tears ${this.#tearing})`;
  }

  async open({ clock, scheduler }: Surroundings): Promise<Store> {
    const entries = recoverEntries(this.#file);
    const epochSeed = this.#epochSeed(entries);
    const replayed = this.#replayInto(epochSeed, () => clock.now());
    for (const entry of entries) if (entry.kind === "changed") await applied(replayed, entry).catch(ignoreRefusal);
    this.#file.append(encodeEntry({ kind: "opened", epochSeed, boot: this.#boot }));
    this.#file.sync();
    this.#opened += 1;
    return new JournaledStore({
      file: this.#file,
      replayed,
      durability: this.#durability,
      now: () => clock.now(),
      scheduler,
      random: this.#request.random.fork(`life${this.#opened}`),
      maxSyncMs: this.#maxSyncMs,
      tearing: this.#tearing,
    });
  }

  crash(store: Store, crash: Crash): Promise<void> {
    if (store instanceof JournaledStore) store.kill();
    if (crash === "power cut") {
      this.#file.powerCut(this.#request.random);
      this.#boot += 1;
    }
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  /** Promise 11: a new epoch whenever an acknowledged tail may be gone. */
  #epochSeed(entries: readonly Entry[]): number {
    const opened = entries.findLast((entry) => entry.kind === "opened");
    const fresh = (): number => this.#request.random.integer(1, 2_000_000_000);
    if (opened === undefined) return fresh();
    const isClean = entries.at(-1)?.kind === "closed";
    const mayHaveLost = !isClean && opened.boot !== this.#boot && this.#durability === "process";
    return mayHaveLost ? fresh() : opened.epochSeed;
  }

  #replayInto(epochSeed: number, now: () => number): Replayed {
    const { retention, dedupeWindowMs, maxPerEndpoint, surroundings } = this.#request;
    let fixed: number | null = null;
    const memory = new MemoryStore({
      retention,
      dedupeWindowMs,
      maxPerEndpoint,
      surroundings: {
        scheduler: surroundings.scheduler,
        clock: { now: () => fixed ?? now() },
        // The same seed gives the same epoch.
        random: seededRandom(epochSeed),
      },
    });
    return {
      memory,
      during: (at, run) => {
        fixed = at;
        try {
          return run();
        } finally {
          fixed = null;
        }
      },
    };
  }
}

/** What was refused the first time is refused again: a lease that was lost, a key window that is full. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof StarcastError)) throw error;
}
