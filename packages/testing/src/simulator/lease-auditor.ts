import type { CheckpointStore, Lease, Position } from "@starcast/core";
import type { NamedLife } from "./named-life.ts";

/** Stands before an engine's checkpoints: sees every lease and every position that is really saved. */
export class LeaseAuditor {
  readonly #lives: ReadonlyMap<string, NamedLife>;
  readonly #report: (problem: string) => void;
  readonly #latest = new Map<string, number>();

  constructor(lives: ReadonlyMap<string, NamedLife>, report: (problem: string) => void) {
    this.#lives = lives;
    this.#report = report;
  }

  /** A process has begun on what the one before left. */
  async rebooted(checkpoints: CheckpointStore, isNewEpoch: boolean): Promise<void> {
    if (isNewEpoch) this.#latest.clear();
    for (const life of this.#lives.values()) {
      const before = life.saved;
      const saved = await checkpoints.load(life.name);
      life.rebooted(saved);
      if (isNewEpoch || (saved?.epoch === before?.epoch && saved?.offset === before?.offset)) continue;
      // Written, but not answered before the end: it must be as good as any other.
      const objection = saved === null ? "its saved position is gone" : life.objectionTo(saved);
      if (saved !== null) life.save(saved);
      if (objection !== null) this.#report(`${life.name}, after a restart: ${objection}`);
    }
  }

  watch(inner: CheckpointStore, onAcquired: (lease: Lease) => void): CheckpointStore {
    return {
      acquire: async (name, ttlMs) => {
        const lease = await inner.acquire(name, ttlMs);
        if (lease !== null) {
          this.#acquired(lease);
          onAcquired(lease);
        }
        return lease;
      },
      renew: (lease, ttlMs) => inner.renew(lease, ttlMs),
      load: (name) => inner.load(name),
      save: async (lease, position) => {
        const objection = this.objectionTo(lease, position);
        await inner.save(lease, position);
        this.saved(lease, position, objection);
      },
      release: (lease) => inner.release(lease),
      remove: (name) => inner.remove(name),
      list: () => inner.list(),
    };
  }

  /** Asked before it is known whether the engine takes it: what is done meanwhile excuses nothing. */
  objectionTo(lease: Lease, position: Position): string | null {
    return this.#lives.get(lease.name)?.objectionTo(position) ?? null;
  }

  saved(lease: Lease, position: Position, objection: string | null): void {
    const latest = this.#latest.get(lease.name) ?? 0;
    if (lease.revision < latest)
      this.#report(`${lease.name}: lease ${lease.revision} saved ${position.offset} after lease ${latest} was given`);
    if (objection !== null) this.#report(`${lease.name}: ${objection}`);
    this.#lives.get(lease.name)?.save(position);
  }

  #acquired({ name, revision, position }: Lease): void {
    const latest = this.#latest.get(name) ?? 0;
    if (revision <= latest) this.#report(`${name}: lease ${revision} was given after lease ${latest}`);
    this.#latest.set(name, revision);
    const life = this.#lives.get(name);
    if (life !== undefined && life.saved?.offset !== position?.offset)
      this.#report(`${name}: the lease says ${position?.offset}, saved was ${life.saved?.offset}`);
  }
}
