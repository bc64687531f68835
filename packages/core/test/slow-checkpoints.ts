import { StarcastError } from "../src/errors.ts";
import type { Position } from "../src/log/position.ts";
import type { CheckpointStore, Lease } from "../src/store/checkpoint-store.ts";
import type { MemoryCheckpoints } from "../src/store/memory-checkpoints.ts";

/** Checkpoints that answer late, or fail, and show who holds what. */
export class SlowCheckpoints implements CheckpointStore {
  held: "acquire" | "save" | null = null;
  failing = false;
  failingSaves = 0;
  saves = 0;
  readonly leases: Map<string, Lease> = new Map();
  readonly #memory: MemoryCheckpoints;
  readonly #waiting: (() => void)[] = [];

  constructor(memory: MemoryCheckpoints) {
    this.#memory = memory;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Another process, to which the lease of this one has just run out. */
  async takeOver(name: string, ttlMs: number): Promise<Lease> {
    const held = this.leases.get(name);
    if (held !== undefined) await this.#memory.release(held);
    const lease = await this.#memory.acquire(name, ttlMs);
    if (lease === null) throw new Error("Expected a lease, got none");
    return lease;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    await this.#later("acquire");
    const lease = await this.#memory.acquire(name, ttlMs);
    if (lease !== null) this.leases.set(name, lease);
    return lease;
  }

  async renew(lease: Lease, ttlMs: number): Promise<void> {
    if (this.failing) throw new StarcastError("store_failed", "The store is away");
    await this.#memory.renew(lease, ttlMs);
  }

  async save(lease: Lease, position: Position): Promise<void> {
    this.saves += 1;
    await this.#later("save");
    if (this.failingSaves > 0) {
      this.failingSaves -= 1;
      throw new StarcastError("store_failed", "The store is away");
    }
    await this.#memory.save(lease, position);
  }

  async release(lease: Lease): Promise<void> {
    this.leases.delete(lease.name);
    await this.#memory.release(lease);
  }

  load(name: string): Promise<Position | null> {
    return this.#memory.load(name);
  }

  remove(name: string): Promise<void> {
    return this.#memory.remove(name);
  }

  list(): Promise<readonly { readonly name: string; readonly position: Position | null }[]> {
    return this.#memory.list();
  }

  async #later(what: "acquire" | "save"): Promise<void> {
    if (this.held === what) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }
}
