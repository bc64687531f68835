import {
  StarcastError,
  type CheckpointStore,
  type ClaimRequest,
  type DeliveryStore,
  type EventLog,
  type MemoryStore,
  type RecordStore,
  type Scheduler,
  type Store,
} from "@starcast/core";
import type { SeededRandom } from "../../seeded-random.ts";
import { endpointIds } from "../endpoints.ts";
import { encodeEntry, type Entry } from "./journal.ts";
import type { SimulatedFile } from "./simulated-file.ts";

type Change = Extract<Entry, { readonly kind: "changed" }>;
type Port = Change["port"];

/** The store in memory that a journal is replayed into, under a clock that says when each change was written. */
export interface Replayed {
  readonly memory: MemoryStore;
  /** The time for what runs inside. */
  during<Result>(at: number, run: () => Result): Result;
}

export interface JournaledStoreOptions {
  readonly file: SimulatedFile;
  readonly replayed: Replayed;
  readonly durability: "process" | "disk";
  readonly now: () => number;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** Longest time that one sync takes. */
  readonly maxSyncMs: number;
  /** Probability that a write fails with a part of it done. */
  readonly tearing: number;
}

interface Waiting {
  readonly change: Change;
  readonly rooms: Record<string, number>;
  readonly given: readonly unknown[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const changing: Readonly<Record<Port, readonly string[]>> = {
  log: ["append"],
  checkpoints: ["acquire", "renew", "save", "release", "remove"],
  deliveries: ["put", "claimDue", "succeed", "retryAt", "bury", "release", "redeliver", "forget", "removeEndpoint"],
  records: ["put", "remove"],
};

/** A durable engine over one file: every change is written first, synced where that is promised, then done and told. */
export class JournaledStore implements Store {
  readonly log: EventLog;
  readonly checkpoints: CheckpointStore;
  readonly deliveries: DeliveryStore;
  readonly records: RecordStore;
  readonly #options: JournaledStoreOptions;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | null = null;
  #isDead = false;
  #isLogClosed = false;
  #isClosed = false;

  constructor(options: JournaledStoreOptions) {
    this.#options = options;
    const { memory } = options.replayed;
    this.log = this.#written("log", memory.log, { durability: options.durability, close: () => this.#closeLog() });
    this.checkpoints = this.#written("checkpoints", memory.checkpoints);
    this.deliveries = this.#written("deliveries", memory.deliveries);
    this.records = this.#written("records", memory.records);
  }

  async close(): Promise<void> {
    await this.#closeLog();
    if (this.#isClosed || this.#isDead) return;
    this.#isClosed = true;
    await this.#settled();
    this.#options.file.append(encodeEntry({ kind: "closed" }));
    this.#options.file.sync();
  }

  /** Nothing of it happens any more. */
  kill(): void {
    this.#isDead = true;
  }

  /** What was accepted is still committed. */
  async #closeLog(): Promise<void> {
    this.#isLogClosed = true;
    await this.#settled();
    await this.#options.replayed.memory.log.close();
  }

  async #settled(): Promise<void> {
    while (this.#committing !== null) await this.#committing;
  }

  #written<Inner extends object>(port: Port, inner: Inner, replaced: object = {}): Inner {
    return new Proxy(inner, {
      get: (target, name) => {
        if (name in replaced) return Reflect.get(replaced, name) as unknown;
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (!changing[port].includes(String(name))) return value.bind(target) as unknown;
        return (...given: unknown[]) => this.#change(port, String(name), given);
      },
    });
  }

  #change(port: Port, method: string, given: readonly unknown[]): Promise<unknown> {
    if (this.#isDead) return new Promise(() => undefined);
    if (this.#isClosed || (port === "log" && this.#isLogClosed)) return Promise.reject(closed(port));
    const rooms: Record<string, number> = {};
    const change: Change = { kind: "changed", at: this.#options.now(), port, method, given, rooms };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, rooms, given, resolve, reject });
      this.#committing ??= this.#commit();
    });
  }

  async #commit(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.scheduler.nextTurn(resolve));
    // The dead write nothing, not even what they were about to.
    while (this.#waiting.length > 0 && !this.#isDead) {
      const group = this.#waiting;
      this.#waiting = [];
      this.#askRooms(group);
      if (!this.#write(group)) continue;
      await this.#sync();
      for (const each of group) await this.#do(each);
    }
    // In this very moment: what comes from now on needs another round.
    this.#committing = null;
  }

  // Written with the claim: a replay has nobody to ask.
  #askRooms(group: readonly Waiting[]): void {
    for (const { given, rooms, change } of group) {
      if (change.method !== "claimDue") continue;
      const { perEndpoint } = given[0] as ClaimRequest;
      for (const endpointId of endpointIds) rooms[endpointId] = perEndpoint(endpointId);
    }
  }

  /** All or nothing: what a failed write left is taken back. */
  #write(group: readonly Waiting[]): boolean {
    const { file, random, tearing } = this.#options;
    const before = file.length;
    for (const { change } of group) {
      const bytes = encodeEntry(change);
      if (!random.chance(tearing)) {
        file.append(bytes);
        continue;
      }
      file.append(bytes.subarray(0, random.integer(0, bytes.length - 1)));
      file.truncate(before);
      for (const { reject } of group) reject(new StarcastError("store_failed", "Expected room on the disk, got none"));
      return false;
    }
    return true;
  }

  async #sync(): Promise<void> {
    const { file, scheduler, random, maxSyncMs, durability } = this.#options;
    const ms = random.integer(0, maxSyncMs);
    if (durability === "process") {
      // In the background, as the system does it.
      scheduler.after(ms * 10, () => file.sync());
      return;
    }
    if (ms > 0) await new Promise<void>((resolve) => void scheduler.after(ms, resolve));
    if (!this.#isDead) file.sync();
  }

  async #do({ change, resolve, reject }: Waiting): Promise<void> {
    if (this.#isDead) return;
    await applied(this.#options.replayed, change).then(resolve, reject);
  }
}

/** Does a change of a journal, the first time or again. */
export function applied({ memory, during }: Replayed, { port, method, given, at, rooms }: Change): Promise<unknown> {
  const target = memory[port];
  const arguments_ =
    method === "claimDue"
      ? [{ ...(given[0] as ClaimRequest), perEndpoint: (id: string) => rooms[id] ?? 0 }]
      : // JSON has only null for what was not given.
        given.map((each) => each ?? undefined);
  return during(at, () => Promise.resolve(Reflect.apply(Reflect.get(target, method) as Apply, target, arguments_)));
}

type Apply = (...given: readonly unknown[]) => Promise<unknown>;

function closed(port: Port): StarcastError {
  return new StarcastError(port === "log" ? "log_closed" : "store_closed", "Expected an open store, got a closed one");
}
