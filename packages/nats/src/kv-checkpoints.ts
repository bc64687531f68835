import {
  StarcastError,
  checkCheckpointName,
  isStarcastError,
  type CheckpointStore,
  type Clock,
  type Lease,
  type Position,
} from "@starcast/core";
import type { Bucket } from "./bucket.ts";
import { fromKey, toKey } from "./key-text.ts";

/**
 * Positions in a NATS key-value bucket. Who holds a name is part of its value, and every change is a compare and set on
 * the revision, so that a holder that slept through its lease changes nothing. Leases end by the clocks of the nodes: a
 * clock that is fast takes over early, which costs repeated events, never lost ones.
 */
export class KvCheckpoints implements CheckpointStore {
  readonly #bucket: Bucket;
  readonly #clock: Clock;

  constructor(options: { readonly bucket: Bucket; readonly clock: Clock }) {
    this.#bucket = options.bucket;
    this.#clock = options.clock;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    checkCheckpointName(name);
    const known = await this.#read(name);
    const now = this.#clock.now();
    if (known !== null && known.holder !== null && known.until > now) return null;
    // Above every one of before, also where an operator or a power cut took away what said which that was.
    const fence = Math.max((known?.fence ?? 0) + 1, Math.floor(now));
    const position = known?.position ?? null;
    const taken = await this.#write(name, { fence, holder: fence, until: now + ttlMs, position }, known?.revision ?? 0);
    return taken ? Object.freeze({ name, revision: fence, position }) : null;
  }

  async renew(lease: Lease, ttlMs: number): Promise<void> {
    await this.#change(lease, (held) => ({ ...held, until: this.#clock.now() + ttlMs }));
  }

  async load(name: string): Promise<Position | null> {
    return (await this.#read(name))?.position ?? null;
  }

  async save(lease: Lease, { epoch, offset }: Position): Promise<void> {
    await this.#change(lease, (held) => ({ ...held, position: { epoch, offset } }));
  }

  async release(lease: Lease): Promise<void> {
    try {
      await this.#change(lease, (held) => ({ ...held, holder: null }));
    } catch (error) {
      // There is nothing left to give back.
      if (!isStarcastError(error, "lease_lost")) throw error;
    }
  }

  // The name stays with its fence: a lease from before must not pass for one of after.
  async remove(name: string): Promise<void> {
    for (;;) {
      const known = await this.#read(name);
      if (known === null || known.isRemoved === true) return;
      const removed = { fence: known.fence, holder: null, until: 0, position: null, isRemoved: true };
      if (await this.#write(name, removed, known.revision)) return;
    }
  }

  async list(): Promise<readonly { readonly name: string; readonly position: Position | null }[]> {
    const entries = await this.#bucket.entries();
    return entries.flatMap(({ key, value }) => {
      const { isRemoved, position } = parse(value ?? "");
      return isRemoved === true ? [] : [{ name: fromKey(key), position }];
    });
  }

  /** Rejects with `lease_lost` unless this is the latest lease of its name. */
  async requireHeld(lease: Lease): Promise<void> {
    const known = await this.#read(lease.name);
    if (known?.holder !== lease.revision) throw lost(lease);
  }

  // Others of this process may have renewed or saved meanwhile: as long as it is the latest, the lease may go on.
  async #change(lease: Lease, change: (held: Checkpoint) => Checkpoint): Promise<void> {
    for (;;) {
      const known = await this.#read(lease.name);
      if (known?.holder !== lease.revision) throw lost(lease);
      const { revision, ...held } = known;
      if (await this.#write(lease.name, change(held), revision)) return;
    }
  }

  async #read(name: string): Promise<(Checkpoint & { readonly revision: number }) | null> {
    const entry = await this.#bucket.get(toKey(name));
    return entry === null || entry.value === null ? null : { ...parse(entry.value), revision: entry.revision };
  }

  /** False when somebody else has written since. */
  async #write(name: string, checkpoint: Checkpoint, revision: number): Promise<boolean> {
    try {
      await this.#bucket.put(toKey(name), JSON.stringify(checkpoint), revision);
      return true;
    } catch (error) {
      if (isStarcastError(error, "stale_claim")) return false;
      throw error;
    }
  }
}

interface Checkpoint {
  /** The latest lease there ever was. */
  readonly fence: number;
  /** The lease that is held; null when it was given back. */
  readonly holder: number | null;
  readonly until: number;
  readonly position: Position | null;
  readonly isRemoved?: boolean | undefined;
}

function parse(text: string): Checkpoint {
  try {
    // Only this file writes it, and only as a whole.
    return JSON.parse(text) as Checkpoint;
  } catch (error) {
    throw new StarcastError("store_corrupt", "Expected a checkpoint as it was written, got something else", {
      cause: error,
    });
  }
}

function lost({ name, revision }: Lease): StarcastError {
  return new StarcastError(
    "lease_lost",
    `Expected the latest lease of \`${name}\`, got revision ${revision}, which was given back or taken over`,
  );
}
