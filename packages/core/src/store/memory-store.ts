import { realSurroundings, type Surroundings } from "../clock.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { checkKeys, integer } from "../option-checks.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import { MemoryCheckpoints } from "./memory-checkpoints.ts";
import { MemoryDeliveries } from "./memory-deliveries.ts";
import { MemoryRecords } from "./memory-records.ts";
import type { RecordStore } from "./record-store.ts";
import type { Store } from "./store.ts";

export interface MemoryStoreOptions {
  /** Newest events kept, by number and bytes; beyond, a slow subscriber gets a gap. @default { maxEvents: 10_000, maxBytes: 33_554_432 } */
  readonly retention?: { readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  /** How long a dedupe key is remembered: longer than a publisher's retries take. @default 300_000 */
  readonly dedupeWindowMs?: number | undefined;
  /** Dedupe keys remembered at once; beyond, `overloaded`. @default 100_000 */
  readonly maxDedupeKeys?: number | undefined;
  /** Unfinished webhook deliveries per endpoint; beyond, dead (`overflow`). @default 100_000 */
  readonly maxPerEndpoint?: number | undefined;
  /** Clock, timers and chance, for tests. @default the real ones */
  readonly surroundings?: Surroundings | undefined;
}

/** The engine in memory: nothing survives the process (durability `memory`), nothing has to be set up. */
export class MemoryStore implements Store {
  readonly log: MemoryLog;
  readonly checkpoints: CheckpointStore;
  readonly deliveries: DeliveryStore;
  readonly records: RecordStore;

  constructor(options: MemoryStoreOptions = {}) {
    checkKeys("MemoryStoreOptions", options, [
      "retention",
      "dedupeWindowMs",
      "maxDedupeKeys",
      "maxPerEndpoint",
      "surroundings",
    ]);
    const retention = checkKeys("retention", options.retention ?? {}, ["maxEvents", "maxBytes"]);
    const { clock, random } = options.surroundings ?? realSurroundings;
    this.log = new MemoryLog({
      retention: {
        maxEvents: integer("retention.maxEvents", retention.maxEvents, 10_000, { min: 2, max: Infinity }),
        maxBytes: integer("retention.maxBytes", retention.maxBytes, 33_554_432, { min: 1_024, max: Infinity }),
      },
      dedupeWindowMs: integer("dedupeWindowMs", options.dedupeWindowMs, 300_000, { min: 0, max: 86_400_000 }),
      maxDedupeKeys: integer("maxDedupeKeys", options.maxDedupeKeys, 100_000, { min: 1, max: Infinity }),
      clock,
      random,
    });
    const checkpoints = new MemoryCheckpoints({ clock });
    this.checkpoints = checkpoints;
    this.deliveries = new MemoryDeliveries({
      clock,
      checkpoints,
      maxPerEndpoint: integer("maxPerEndpoint", options.maxPerEndpoint, 100_000, { min: 1, max: Infinity }),
    });
    this.records = new MemoryRecords();
  }

  close(): Promise<void> {
    return this.log.close();
  }
}
