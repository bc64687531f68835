import { ClientError } from "../client-error.ts";
import type { EventVocabulary, EventsMatching } from "../typed-events.ts";

/** The whole state of the thing, and the position it is the state of: the server has it as `broker.position`. */
export interface Loaded<Value> {
  readonly position: string | { readonly epoch: string; readonly offset: number };
  /** Keys to values: a Map, a list of pairs as JSON has them, or an object. */
  readonly entries: Iterable<readonly [string, Value]> | Readonly<Record<string, Value>>;
}

/** Changes the entries as an event says. When it throws, everything is loaded anew. */
export type Reduce<Events, Value> = (entries: Map<string, Value>, event: EventsMatching<Events>) => void;

export interface ReplicaOptions<Events, Value> {
  /** Gives the state of now; called at the start, and again after each gap. */
  readonly load: () => Loaded<Value> | Promise<Loaded<Value>>;
  /** What an event does to the entries. @default what the vocabulary's `subject` and `state` say */
  readonly reduce?: Reduce<Events, Value> | undefined;
  /** Events that are held while `load` is under way; beyond, it is begun anew. @default 10_000 */
  readonly maxHeldEvents?: number | undefined;
}

/** What an event does by the vocabulary alone: its subject is the key, its state the value, no state the end of the entry. */
export function reduceByVocabulary<Events, Value>(vocabulary: EventVocabulary<Events> | null): Reduce<Events, Value> {
  if (vocabulary === null)
    throw new ClientError(
      "invalid_option",
      "Expected `reduce`, or a client that was given the vocabulary as `events`, got neither",
    );
  return (entries, { type, subject, data }) => {
    if (!vocabulary.hasState(type)) return;
    const key = subject ?? vocabulary.subjectOf(type, data);
    if (key === undefined) return;
    const state = vocabulary.stateOf(type, data);
    if (state === undefined) entries.delete(key);
    // What `load` gives and what `state` gives are of one type; who declares a replica says which.
    else entries.set(key, state as Value);
  };
}
