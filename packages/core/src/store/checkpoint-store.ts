import type { Position } from "../log/position.ts";

/** The right to move one named position, until it expires or another holder takes over. */
export interface Lease {
  readonly name: string;
  /** The fencing token: every `acquire` of a name gives a greater one, and writes of an older one are refused. */
  readonly revision: number;
  /** The saved position at the time of acquiring; null for a name never saved. */
  readonly position: Position | null;
}

/** The durable positions of named subscribers. At most one holder can move a position. */
export interface CheckpointStore {
  /** MUST give null while another unexpired lease of that name is held. */
  acquire(name: string, ttlMs: number): Promise<Lease | null>;
  /** MUST extend the lease to `ttlMs` from now, or reject with `lease_lost` when another holder has acquired it since. */
  renew(lease: Lease, ttlMs: number): Promise<void>;
  load(name: string): Promise<Position | null>;
  /** MUST reject with `lease_lost` and change nothing when a later lease exists, however late the call arrives. */
  save(lease: Lease, position: Position): Promise<void>;
  /** MUST let another holder acquire at once; releasing a lease that was lost does nothing. */
  release(lease: Lease): Promise<void>;
  /** Forgets the name and its position. */
  remove(name: string): Promise<void>;
  list(): Promise<readonly { readonly name: string; readonly position: Position | null }[]>;
}
