/** What was published, with its place and time. Its JSON is the wire form of every transport. */
export interface Event<Type extends string = string, Data = unknown> {
  /** `<epoch>-<offset>`, such as `k3f9x2a1-1042`: unique for ever, and where a receiver resumes. */
  readonly id: string;
  readonly type: Type;
  /** RFC 3339, UTC, milliseconds: when the log took it. */
  readonly timestamp: string;
  /** The key of the thing the event is about. */
  readonly subject?: string | undefined;
  /** Frozen: the same value for every subscriber of the process. */
  readonly data: Data;
}

/** An event before it has a place. Checked and snapshotted: nothing in it can change any more. */
export interface EventDraft {
  readonly type: string;
  readonly subject: string | undefined;
  /** The JSON text of `data`; this text is the event's data, for the log, its size and every transport. */
  readonly json: string;
  /** Bytes counted against every limit: UTF-8 length of type, subject and `json`. */
  readonly sizeBytes: number;
  /** Events with the same key within the log's dedupe window are one event. */
  readonly dedupeKey: string | undefined;
}

/** A committed event as engines keep it. */
export interface StoredEvent {
  readonly offset: number;
  readonly type: string;
  readonly subject: string | undefined;
  readonly timestamp: string;
  readonly json: string;
  readonly sizeBytes: number;
}

/** Event types to payloads: what a vocabulary declares, or a plain interface says. */
export type EventMap = Readonly<Record<string, unknown>>;

/** The union of events of a vocabulary, so that `type` narrows `data`. */
export type EventOf<Events, Type extends keyof Events & string = keyof Events & string> = {
  readonly [T in Type]: Event<T, Events[T]>;
}[Type];
