import type { SyncCounts } from "./announcement.ts";

/** How one sync ended. */
export type SyncReport =
  /** The source has what was published last. */
  | { readonly kind: "unchanged"; readonly entries: number }
  /** The first catalog ever seen, kept as where things start; nothing was published. */
  | { readonly kind: "baseline"; readonly entries: number }
  /** Every change is published. `refused` of them cannot be, now or ever; the observer was told of each. */
  | ({
      readonly kind: "published";
      readonly entries: number;
      readonly refused: number;
      readonly durationMs: number;
    } & SyncCounts)
  /** Another process is syncing this catalog right now. */
  | { readonly kind: "standby" };

/** What is known of a sync; three healths that say different things. */
export interface SyncStatus {
  /** `stopped`: the source refused us for good, or the sync was closed. */
  readonly state: "waiting" | "syncing" | "stopped";
  /** Liveness: when the source last answered, in milliseconds since the epoch. */
  readonly answeredAt: number | null;
  /** Freshness: when a change was last published. */
  readonly publishedAt: number | null;
  /** Polls that failed since the last that did not. */
  readonly failures: number;
  /** What the source calls the catalog that was published last. */
  readonly version: string | null;
  readonly entries: number;
}

declare module "@starcast/core" {
  interface Moments {
    catalogSynced: { readonly catalog: string; readonly report: SyncReport };
    catalogSyncFailed: { readonly catalog: string; readonly failures: number; readonly error: unknown };
    /** The source refused us for good: no more polls. */
    catalogSyncStopped: { readonly catalog: string; readonly error: unknown };
  }
}
