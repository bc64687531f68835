import { checkKeys, integer, InvalidOptionError } from "@starcast/core";
import { TopicTemplate } from "./topic-template.ts";

/** What a snapshot gives: each thing's subject and its state. A `Map` is one. */
export type StateEntries =
  Iterable<readonly [subject: string, state: unknown]> | AsyncIterable<readonly [subject: string, state: unknown]>;

/** The mirror: retained topics with the newest state of each thing, as the vocabulary's `state` says it. */
export interface StateOptions {
  /** Where a thing's state is, such as `catalog/models/{subject}`; the subject is its only placeholder. */
  readonly topic: string;
  /**
   * All that exists, as it is when this is called or later: asked for at each connection and after a gap, so that
   * the mirror is exact again. @default none: the mirror then stays stale until `resync(...)` is called
   */
  readonly snapshot?: (() => StateEntries | Promise<StateEntries>) | undefined;
  /** Most topics of the mirror that `resync` handles. @default 100_000 */
  readonly maxTopics?: number | undefined;
  /** How long a snapshot may take. @default 30_000 */
  readonly snapshotTimeoutMs?: number | undefined;
}

/** The topic that says how the publisher is. */
export interface StatusOptions {
  /** Without placeholders. @default starcast/, the name, /status */
  readonly topic?: string | undefined;
  /** How often the place is told while it moves. @default 10_000 */
  readonly everyMs?: number | undefined;
}

export interface ResolvedStateOptions {
  readonly topic: TopicTemplate;
  readonly snapshot: (() => StateEntries | Promise<StateEntries>) | null;
  readonly maxTopics: number;
  readonly snapshotTimeoutMs: number;
}

export interface ResolvedStatusOptions {
  readonly topic: string;
  readonly everyMs: number;
}

const defaults = Object.freeze({ everyMs: 10_000, maxTopics: 100_000, snapshotTimeoutMs: 30_000 } as const);

/** Complete, checked, frozen; null when there is to be no mirror. */
export function resolveStateOptions(options: StateOptions | false | undefined): ResolvedStateOptions | null {
  if (options === undefined || options === false) return null;
  checkKeys("state", options, ["topic", "snapshot", "maxTopics", "snapshotTimeoutMs"]);
  const topic = new TopicTemplate("state.topic", options.topic);
  // Anything else may differ between the event that sets a state and the one that clears it: a ghost would stay.
  if (!topic.isPerSubject)
    throw new InvalidOptionError({
      option: "state.topic",
      expected: "a template with {subject}, and no other placeholder",
      received: options.topic,
    });
  if (options.snapshot !== undefined && typeof options.snapshot !== "function") {
    throw new InvalidOptionError({ option: "state.snapshot", expected: "a function", received: options.snapshot });
  }
  return Object.freeze({
    topic,
    snapshot: options.snapshot ?? null,
    maxTopics: integer("state.maxTopics", options.maxTopics, defaults.maxTopics, { min: 1, max: Infinity }),
    snapshotTimeoutMs: integer("state.snapshotTimeoutMs", options.snapshotTimeoutMs, defaults.snapshotTimeoutMs, {
      min: 10,
      max: 3_600_000,
    }),
  });
}

/** Complete, checked, frozen; null when nothing is to be said. */
export function resolveStatusOptions(
  options: StatusOptions | false | undefined,
  name: string,
): ResolvedStatusOptions | null {
  if (options === false) return null;
  const given = checkKeys("status", options ?? {}, ["topic", "everyMs"]);
  const topic = new TopicTemplate("status.topic", given.topic ?? `starcast/${name}/status`);
  if (topic.text.includes("{"))
    throw new InvalidOptionError({
      option: "status.topic",
      expected: "a topic without placeholders",
      received: topic.text,
    });
  return Object.freeze({
    topic: topic.text,
    everyMs: integer("status.everyMs", given.everyMs, defaults.everyMs, { min: 100, max: 86_400_000 }),
  });
}
