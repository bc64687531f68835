import type {
  Batch,
  CheckpointStore,
  DeliveryStore,
  EventLog,
  Gap,
  Line,
  LogEvent,
  Store,
  Subscriber,
} from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import type { SimulatedEngine } from "./engine.ts";

/** A bug put in on purpose, between the pump and a subscriber or between the broker and its engine. */
export interface PlantedBug {
  readonly name: string;
  /** What stands between the pump and a subscriber. */
  readonly subscriber?: ((inner: Subscriber, random: SeededRandom) => Subscriber) | undefined;
  /** What stands between the broker and its engine. */
  readonly store?: ((inner: Store, random: SeededRandom) => Store) | undefined;
  /** What stands between the world and its engine. */
  readonly engine?: ((inner: SimulatedEngine) => SimulatedEngine) | undefined;
}

/** How often a bug strikes: seldom, as real ones do. */
const striking = 0.1;

export const plantedBugs: readonly PlantedBug[] = [
  { name: "drop", subscriber: altered((events) => events.filter((_, index) => index !== 1)) },
  {
    name: "duplicate",
    subscriber: altered((events) => events.flatMap((event, index) => (index === 0 ? [event, event] : [event]))),
  },
  { name: "reorder", subscriber: altered((events) => events.toReversed()) },
  {
    name: "lying gap",
    subscriber: withGap((gap) => ({ ...gap, through: { ...gap.through, offset: gap.through.offset + 1 } })),
  },
  {
    name: "gap that hides its beginning",
    subscriber: withGap((gap) =>
      gap.after === null ? gap : { ...gap, after: { ...gap.after, offset: gap.after.offset + 1 } },
    ),
  },
  { name: "silent resume", subscriber: silentResume },
  { name: "reused id", store: reusedId },
  { name: "checkpoint past an unacknowledged event", store: hastyCheckpoints },
  { name: "stale lease that writes", store: staleLeases },
  { name: "epoch kept over a lost tail", engine: keptEpoch },
  { name: "deliveries forgotten before the checkpoint moves", store: forgottenDeliveries },
  { name: "claim of what another holds", store: greedyClaims },
];

function altered(alter: (events: readonly LogEvent[]) => readonly LogEvent[]): PlantedBug["subscriber"] {
  return (inner, random) =>
    around(inner, {
      deliver: (batch) => {
        if (batch.events.length < 2 || !random.chance(striking)) return inner.deliver(batch);
        const events = alter(batch.events);
        const taken = inner.deliver(view(batch, events));
        return Math.min(taken, batch.events.length);
      },
    });
}

function withGap(alter: (gap: Gap) => Gap): PlantedBug["subscriber"] {
  return (inner) => around(inner, { gap: (gap) => inner.gap(gap.reason === "trimmed" ? alter(gap) : gap) });
}

function silentResume(inner: Subscriber): Subscriber {
  return around(inner, {
    open: (line) => {
      const lie: Line = around(line, { start: { ...line.start, isResumed: true } });
      inner.open?.(lie);
    },
    gap: (gap) => {
      if (gap.reason !== "epoch") inner.gap(gap);
    },
  });
}

function reusedId(inner: Store, random: SeededRandom): Store {
  const log: EventLog = around(inner.log, {
    watch: (onCommitted) =>
      inner.log.watch((events) =>
        onCommitted(
          events.map(({ offset, type, subject, timestamp, json, sizeBytes }) => ({
            ...{ offset, type, subject, timestamp, sizeBytes },
            json: random.chance(striking) ? '"other"' : json,
          })),
        ),
      ),
  });
  return { ...inner, log, close: () => inner.close() };
}

function hastyCheckpoints(inner: Store): Store {
  const checkpoints: CheckpointStore = around(inner.checkpoints, {
    save: (lease, position) => inner.checkpoints.save(lease, { ...position, offset: inner.log.head }),
  });
  return { ...inner, checkpoints, close: () => inner.close() };
}

/** Writes on when it was told that it has lost its lease, as one would who makes the fencing number up. */
function staleLeases(inner: Store): Store {
  const { checkpoints: real } = inner;
  const checkpoints: CheckpointStore = around(real, {
    renew: async () => undefined,
    save: async (lease, position) => {
      for (let revision = lease.revision; revision < lease.revision + 5; revision += 1) {
        try {
          return await real.save({ ...lease, revision }, position);
        } catch {
          // The next number may be it.
        }
      }
    },
  });
  return { ...inner, checkpoints, close: () => inner.close() };
}

/** Its ids go on as if nothing had been lost. */
function keptEpoch(inner: SimulatedEngine): SimulatedEngine {
  let epoch: string | null = null;
  return around(inner, {
    open: async (surroundings) => {
      const store = await inner.open(surroundings);
      epoch ??= store.log.epoch;
      const kept = epoch;
      const log: EventLog = around(store.log, {
        epoch: kept,
        append: async (drafts) =>
          (await store.log.append(drafts)).map((each) => ({ ...each, position: { ...each.position, epoch: kept } })),
      });
      opened.set(log, store);
      return { ...store, log, close: () => store.close() };
    },
    crash: (store, crash) => inner.crash(opened.get(store.log) ?? store, crash),
  });
}

/** What an altered engine really gave. */
const opened = new WeakMap<object, Store>();

function forgottenDeliveries(inner: Store, random: SeededRandom): Store {
  const deliveries: DeliveryStore = around(inner.deliveries, {
    put: (drafts, advance) =>
      random.chance(striking)
        ? Promise.resolve({ stored: drafts.length, overflowed: 0 })
        : inner.deliveries.put(drafts, advance),
  });
  return { ...inner, deliveries, close: () => inner.close() };
}

/** As if its clock were ahead. */
function greedyClaims(inner: Store): Store {
  const deliveries: DeliveryStore = around(inner.deliveries, {
    claimDue: (request) => inner.deliveries.claimDue({ ...request, now: request.now + 10_000 }),
  });
  return { ...inner, deliveries, close: () => inner.close() };
}

function view(batch: Batch, events: readonly LogEvent[]): Batch {
  return {
    after: batch.after,
    through: batch.through,
    events,
    filterKey: batch.filterKey,
    bytes: (encoding) => batch.bytes(encoding),
    piece: (encoding, from) => batch.piece(encoding, from),
  };
}

/** The same object with some methods replaced; the others keep their `this`. */
function around<Inner extends object>(inner: Inner, replaced: Partial<Inner>): Inner {
  return new Proxy(inner, {
    get: (target, name) => {
      if (name in replaced) return Reflect.get(replaced, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
