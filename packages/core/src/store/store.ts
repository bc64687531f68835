import type { EventLog } from "../log/event-log.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { RecordStore } from "./record-store.ts";

/** What an engine is: the log, and the three small memories durable work needs. */
export interface Store {
  readonly log: EventLog;
  readonly checkpoints: CheckpointStore;
  readonly deliveries: DeliveryStore;
  readonly records: RecordStore;
  /** Idempotent; awaits what is being written. */
  close(): Promise<void>;
}
