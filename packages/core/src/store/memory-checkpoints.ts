import type { Clock } from "../clock.ts";
import { InvalidOptionError, StarcastError, describe } from "../errors.ts";
import type { Position } from "../log/position.ts";
import type { CheckpointStore, Lease } from "./checkpoint-store.ts";

/** Longest name of a checkpoint, in characters. */
export const maxCheckpointNameLength = 256;

export interface MemoryCheckpointsOptions {
  readonly clock: Clock;
  /** Names kept; a service has a handful, so more is a name made up per client. @default 10_000 */
  readonly maxNames?: number | undefined;
}

/** Positions of named subscribers in memory: they last as long as the process, as the memory log does. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly #clock: Clock;
  readonly #maxNames: number;
  readonly #checkpoints = new Map<string, Checkpoint>();
  // One count for all names: so it grows for each name, also over a removal.
  #revision = 0;

  constructor(options: MemoryCheckpointsOptions) {
    const maxNames = options.maxNames ?? 10_000;
    if (!(maxNames >= 1))
      throw new InvalidOptionError({ option: "maxNames", expected: "a number of at least 1", received: maxNames });
    this.#clock = options.clock;
    this.#maxNames = maxNames;
  }

  /** True while no later lease of that name exists, and this one was not given back. */
  isHeldBy(lease: Lease): boolean {
    return this.#checkpoints.get(lease.name)?.holder === lease.revision;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    checkCheckpointName(name);
    const known = this.#checkpoints.get(name);
    const now = this.#clock.now();
    if (known !== undefined && known.holder !== null && known.until > now) return null;
    if (known === undefined && this.#checkpoints.size >= this.#maxNames) {
      throw new StarcastError(
        "store_full",
        `Expected at most ${this.#maxNames} checkpoints (maxNames), got another: remove those no longer used`,
      );
    }
    this.#revision += 1;
    const position = known?.position ?? null;
    this.#checkpoints.set(name, { position, holder: this.#revision, until: now + ttlMs });
    return Object.freeze({ name, revision: this.#revision, position });
  }

  async renew(lease: Lease, ttlMs: number): Promise<void> {
    this.#held(lease).until = this.#clock.now() + ttlMs;
  }

  async load(name: string): Promise<Position | null> {
    return this.#checkpoints.get(name)?.position ?? null;
  }

  async save(lease: Lease, position: Position): Promise<void> {
    this.#held(lease).position = Object.freeze({ epoch: position.epoch, offset: position.offset });
  }

  async release(lease: Lease): Promise<void> {
    const known = this.#checkpoints.get(lease.name);
    if (known?.holder === lease.revision) known.holder = null;
  }

  async remove(name: string): Promise<void> {
    this.#checkpoints.delete(name);
  }

  async list(): Promise<readonly { readonly name: string; readonly position: Position | null }[]> {
    return [...this.#checkpoints].map(([name, { position }]) => ({ name, position }));
  }

  // An expired lease that nobody else wanted is still the latest, and may go on.
  #held(lease: Lease): Checkpoint {
    const known = this.#checkpoints.get(lease.name);
    if (known !== undefined && known.holder === lease.revision) return known;
    throw new StarcastError(
      "lease_lost",
      `Expected the latest lease of \`${lease.name}\`, got revision ${lease.revision}, which was given back or taken over`,
    );
  }
}

interface Checkpoint {
  position: Position | null;
  /** Revision of the latest lease; null when it was given back. */
  holder: number | null;
  until: number;
}

/** Throws `invalid_option` for what no engine keeps as the name of a checkpoint. */
export function checkCheckpointName(name: unknown): asserts name is string {
  if (typeof name === "string" && name.length > 0 && name.length <= maxCheckpointNameLength) return;
  throw new StarcastError(
    "invalid_option",
    `Expected \`name\` to be 1 to ${maxCheckpointNameLength} characters, got ${describe(name)}`,
  );
}
