import type { StarcastError } from "../errors.ts";
import type { EventDraft, StoredEvent } from "../event/event.ts";
import type { Position } from "./position.ts";

/** What `append` says of one draft. */
export interface Appended {
  readonly position: Position;
  readonly timestamp: string;
  /** True when `dedupeKey` met an earlier event: `position` and `timestamp` are that one's. */
  readonly isDuplicate: boolean;
}

export interface ReadLimit {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** What survives an acknowledged append: nothing, a killed process, or a power cut. */
export type Durability = "memory" | "process" | "disk";

/** Append-only memory of events; offsets are dense and start at 1. Engines implement it; the contract suite judges them. */
export interface EventLog {
  /** MUST change whenever an acknowledged tail may have been lost: an id is never reused for other content. */
  readonly epoch: string;
  readonly durability: Durability;
  /** True when a list of drafts is committed as one: all or none, and contiguous. */
  readonly isAtomic: boolean;
  /** How much is retained at most; `Infinity` where the engine does not know. */
  readonly retention: ReadLimit;
  /** Last offset no longer retained; 0 while nothing was trimmed. Never falls. */
  readonly trimmedThrough: number;
  /** Newest committed offset known here. Never falls. */
  readonly head: number;
  /** False while the engine is away, so that what is known here may be behind; absent where that cannot be. */
  readonly isReachable?: boolean;
  /**
   * True when being watched costs the engine much, as where each event has to come over the network for it: then it is
   * watched only from the first subscriber on, and MUST keep `head` fresh by itself until then.
   */
  readonly isWatchCostly?: boolean;
  /** Resolves when the log cannot go on, since it is not the one it was: the process has to open its store again. */
  readonly ended?: Promise<StarcastError>;
  /**
   * MUST commit the drafts in order, and resolve only when they survive what `durability` promises.
   * MUST reject with a typed error and commit nothing when `isAtomic`, MUST NOT reorder concurrent calls of one process.
   */
  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]>;
  /**
   * For engines that keep a draft within the call: MUST do what `append([draft])` does, and MUST throw what that rejects
   * with. Only for drafts without a `dedupeKey`. Without the promises a publication into memory costs half. Who wraps
   * `append` of an engine wraps this as well, or hides it.
   */
  commit?(draft: EventDraft): StoredEvent;
  /**
   * MUST give the events after `after`, in order, up to the limit, at least one if any is retained (even above `maxBytes`).
   * MUST begin at the oldest retained event when `after` was trimmed; the caller sees the hole by its offset.
   */
  read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]>;
  /**
   * MUST call with every committed event, whoever appended it, in order, once, starting after the `head` of the moment of
   * the call; MUST have moved `head` before; MUST NOT call any more after the returned function was called.
   * An engine in this process calls before `append` resolves. The callback never throws.
   */
  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void;
  /** The truth of the engine: a position past the local `head` MUST be judged only after this. */
  refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }>;
  /** MUST be idempotent. Later calls of `append` and `read` reject with `log_closed`. */
  close(): Promise<void>;
}
