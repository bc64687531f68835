import { realSurroundings, type Surroundings } from "./clock.ts";
import { InvalidOptionError } from "./errors.ts";
import type { AnyVocabulary, Vocabulary } from "./event/vocabulary.ts";
import { openVocabulary } from "./event/vocabulary.ts";
import type { ReadLimit } from "./log/event-log.ts";
import { checkKeys, integer } from "./option-checks.ts";
import { logTo } from "./observe/log-to.ts";
import type { Observer } from "./observe/observer.ts";
import { MemoryStore } from "./store/memory-store.ts";
import type { Store } from "./store/store.ts";

/** What a broker is made of. */
export interface BrokerOptions<Events> {
  /** The vocabulary, which types the broker and checks what is published. @default every well-formed type */
  readonly events?: Vocabulary<Events> | undefined;
  /** The engine; the broker closes it. @default new MemoryStore() */
  readonly store?: Store | undefined;
  /** Who sees what happens; `[]` for silence. @default [logTo(console)]: warnings only, rate-limited */
  readonly observe?: readonly Observer[] | undefined;
  /** Largest event, encoded; browsers and brokers choke on more. @default 262_144 */
  readonly maxEventBytes?: number | undefined;
  /** Time that publications are gathered before they go out together; 0 is the next turn. Halves CPU from 500 events/s on. @default 0 */
  readonly flushMs?: number | undefined;
  /** Publications accepted but not yet kept by the engine; beyond, `overloaded`. @default { maxDrafts: 10_000, maxBytes: 33_554_432 } */
  readonly uncommitted?:
    { readonly maxDrafts?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  /** Newest events kept in memory in front of a durable log. @default { maxEvents: 10_000, maxBytes: 33_554_432 } */
  readonly hotWindow?: { readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  /** Memory for pages of the log that several subscribers read. @default 16_777_216 */
  readonly pageCacheBytes?: number | undefined;
  /** Subscriptions at once, connections included. @default 100_000 */
  readonly maxSubscribers?: number | undefined;
  /** How long the holder of a named subscription may be silent before another takes over. @default 15_000 */
  readonly leaseMs?: number | undefined;
  /** How `close` ends: clients leave spread over `spreadMs`, everything ends after `deadlineMs`. @default { spreadMs: 10_000, deadlineMs: 25_000 } */
  readonly drain?: { readonly spreadMs?: number | undefined; readonly deadlineMs?: number | undefined } | undefined;
  /** Clock, timers and chance, for tests. @default the real ones */
  readonly surroundings?: Surroundings | undefined;
}

export interface ResolvedBrokerOptions {
  readonly events: AnyVocabulary;
  readonly store: Store;
  readonly observe: readonly Observer[];
  readonly maxEventBytes: number;
  readonly flushMs: number;
  readonly uncommitted: { readonly maxDrafts: number; readonly maxBytes: number };
  readonly hotWindow: ReadLimit;
  readonly pageCacheBytes: number;
  readonly maxSubscribers: number;
  readonly leaseMs: number;
  readonly drain: { readonly spreadMs: number; readonly deadlineMs: number };
  readonly surroundings: Surroundings;
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveBrokerOptions<Events>(options: BrokerOptions<Events>): ResolvedBrokerOptions {
  checkKeys("BrokerOptions", options, knownKeys);
  const surroundings = options.surroundings ?? realSurroundings;
  check("surroundings", surroundings, hasAll(surroundings, ["clock", "scheduler", "random"]));
  const drain = checkKeys("drain", options.drain ?? {}, ["spreadMs", "deadlineMs"]);
  const uncommitted = checkKeys("uncommitted", options.uncommitted ?? {}, ["maxDrafts", "maxBytes"]);
  const hotWindow = checkKeys("hotWindow", options.hotWindow ?? {}, ["maxEvents", "maxBytes"]);
  const resolved: ResolvedBrokerOptions = {
    events: options.events ?? openVocabulary,
    store: options.store ?? new MemoryStore({ surroundings }),
    observe: options.observe ?? [logTo(globalConsole)],
    maxEventBytes: integer("maxEventBytes", options.maxEventBytes, 262_144, { min: 64, max: Infinity }),
    flushMs: integer("flushMs", options.flushMs, 0, { min: 0, max: 1_000 }),
    uncommitted: {
      maxDrafts: integer("uncommitted.maxDrafts", uncommitted.maxDrafts, 10_000, { min: 1, max: Infinity }),
      maxBytes: integer("uncommitted.maxBytes", uncommitted.maxBytes, 33_554_432, { min: 1_024, max: Infinity }),
    },
    hotWindow: {
      maxEvents: integer("hotWindow.maxEvents", hotWindow.maxEvents, 10_000, { min: 2, max: Infinity }),
      maxBytes: integer("hotWindow.maxBytes", hotWindow.maxBytes, 33_554_432, { min: 1_024, max: Infinity }),
    },
    pageCacheBytes: integer("pageCacheBytes", options.pageCacheBytes, 16_777_216, { min: 0, max: Infinity }),
    maxSubscribers: integer("maxSubscribers", options.maxSubscribers, 100_000, { min: 1, max: Infinity }),
    leaseMs: integer("leaseMs", options.leaseMs, 15_000, { min: 1_000, max: 3_600_000 }),
    drain: {
      spreadMs: integer("drain.spreadMs", drain.spreadMs, 10_000, { min: 0, max: 3_600_000 }),
      deadlineMs: integer("drain.deadlineMs", drain.deadlineMs, 25_000, { min: 0, max: 3_600_000 }),
    },
    surroundings,
  };
  checkShapes(resolved);
  checkTogether(resolved);
  return Object.freeze(resolved);
}

const knownKeys = [
  "events",
  "store",
  "observe",
  "maxEventBytes",
  "flushMs",
  "uncommitted",
  "hotWindow",
  "pageCacheBytes",
  "maxSubscribers",
  "leaseMs",
  "drain",
  "surroundings",
];

// The one use of the console: what a service that configured nothing should still see.
const { console: globalConsole } = globalThis;

// Plain JavaScript gets no help from the compiler; what is wrong here would fail much later, and elsewhere.
function checkShapes({ events, store, observe }: ResolvedBrokerOptions): void {
  check("events", events, hasAll(events, ["validate", "subjectOf", "has"]));
  check("store", store, hasAll(store, ["log", "checkpoints", "deliveries", "records", "close"]));
  check("observe", observe, Array.isArray(observe) && observe.every((each) => typeof each === "function"));
}

const expectedShapes = {
  events: "what `defineEvents` returns",
  store: "a Store (an engine that opens is awaited: `await SqliteStore.open(path)`)",
  observe: "a list of functions",
  surroundings: "{ clock, scheduler, random }",
} as const;

function check(option: keyof typeof expectedShapes, received: unknown, isRight: boolean): void {
  if (!isRight) throw new InvalidOptionError({ option, expected: expectedShapes[option], received });
}

function hasAll(value: unknown, names: readonly string[]): boolean {
  return typeof value === "object" && value !== null && names.every((name) => name in value);
}

function checkTogether(options: ResolvedBrokerOptions): void {
  const { maxEventBytes, drain, store, hotWindow } = options;
  // Half of the window may wait for a tick; one event more must still fit.
  const maxBytes = Math.min(store.log.retention.maxBytes, hotWindow.maxBytes);
  if (maxEventBytes * 2 > maxBytes) {
    throw new InvalidOptionError({
      option: "maxEventBytes",
      expected: `at most half of what the log and the hot window keep (${maxBytes} bytes)`,
      received: maxEventBytes,
    });
  }
  if (drain.spreadMs > drain.deadlineMs) {
    throw new InvalidOptionError({
      option: "drain.spreadMs",
      expected: `at most drain.deadlineMs (${drain.deadlineMs})`,
      received: drain.spreadMs,
    });
  }
}
