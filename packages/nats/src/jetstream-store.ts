import { type CheckpointStore, type DeliveryStore, type EventLog, type RecordStore, type Store } from "@starcast/core";
import { AckedPublisher } from "./acked-publisher.ts";
import { Bucket } from "./bucket.ts";
import { DeliveredEvents } from "./delivered-events.ts";
import { JetStreamDeliveries } from "./jetstream-deliveries.ts";
import { JetStreamEventLog } from "./jetstream-event-log.ts";
import { KvCheckpoints } from "./kv-checkpoints.ts";
import { KvRecords } from "./kv-records.ts";
import { NatsLink } from "./nats-link.ts";
import { resolveJetStreamOptions, type JetStreamOptions, type ResolvedJetStreamOptions } from "./options.ts";

/** The engine for many machines: one log, one set of positions, deliveries and records in NATS JetStream, for any number of processes. */
export class JetStreamStore implements Store {
  readonly log: EventLog;
  readonly checkpoints: CheckpointStore;
  readonly deliveries: DeliveryStore;
  readonly records: RecordStore;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | null = null;

  private constructor(parts: Store) {
    this.log = parts.log;
    this.checkpoints = parts.checkpoints;
    this.deliveries = parts.deliveries;
    this.records = parts.records;
    this.#close = () => parts.close();
  }

  /**
   * Connects, and makes the stream and its buckets where there are none. Rejects with `connection_failed`,
   * `not_authorized`, `timed_out`, `unsupported` (no JetStream, or a stream that cannot be a log), `invalid_option`,
   * `store_failed`.
   */
  static async open(options: JetStreamOptions = {}): Promise<JetStreamStore> {
    const resolved = resolveJetStreamOptions(options);
    const link = await NatsLink.open(resolved);
    try {
      return new JetStreamStore(await openParts(link, resolved));
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
}

async function openParts(link: NatsLink, options: ResolvedJetStreamOptions): Promise<Store> {
  const { stream, replicas, surroundings, maxPerEndpoint, maxInFlight, publishTimeoutMs } = options;
  const { clock, scheduler } = surroundings;
  const log = await JetStreamEventLog.open(link, options);
  // What a bucket is asked for waits for NATS as long as an event does, never longer.
  const publisher = new AckedPublisher({
    link,
    surroundings,
    maxInFlight,
    timeoutMs: publishTimeoutMs,
    whileAway: options.whileAway,
  });
  const buckets: Bucket[] = [];
  const close = async (): Promise<void> => {
    for (const bucket of buckets) bucket.close();
    await log.close();
    publisher.close();
    await link.close();
  };
  try {
    const open = async (what: string, maxAgeMs?: number): Promise<Bucket> => {
      const bucket = await Bucket.open({
        link,
        scheduler,
        publisher,
        replicas,
        maxAgeMs,
        timeoutMs: publishTimeoutMs,
        name: `${stream}_${what}`,
        // Streams are written to disk one by one: the events may all be there.
        onTailLost: (error) => void log.end(error),
      });
      buckets.push(bucket);
      return bucket;
    };
    const checkpoints = new KvCheckpoints({ bucket: await open("checkpoints"), clock });
    const records = new KvRecords(await open("records"));
    const events = new DeliveredEvents(await open("delivered", deliveredMaxAgeMs), maxCachedEventBytes);
    const bucket = await open("deliveries");
    const deliveries = await JetStreamDeliveries.open({ bucket, events, checkpoints, clock, maxPerEndpoint });
    return { log, checkpoints, deliveries, records, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Copies of events for deliveries: longer than any delivery is tried or kept as a dead letter. */
const deliveredMaxAgeMs = 90 * 86_400_000;
const maxCachedEventBytes = 33_554_432;
