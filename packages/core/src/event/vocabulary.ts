import { InvalidOptionError, StarcastError, isStarcastError } from "../errors.ts";
import { checkKeys } from "../option-checks.ts";
import { isThenable, watchRejection } from "../thenable.ts";
import { checkType } from "./check-draft.ts";

/** Standard Schema 1 (standardschema.dev), as far as it is used here: validators of zod, valibot, arktype and others. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** What one event type carries: its subject, its state, and how its data is checked. */
export interface EventDefinition<Data = unknown> {
  /** Phantom: gives the payload type to the compiler only. */
  readonly "~data"?: Data;
  readonly schema?: StandardSchema<Data> | undefined;
  /** The key of the thing the event is about. */
  readonly subject?: ((data: Data) => string | undefined) | undefined;
  /** The value of that thing after the event; `undefined` means it is gone. */
  readonly state?: ((data: Data) => unknown) | undefined;
}

/** Declares what an event type carries: `event<T>({ subject, state })`, or a Standard Schema in place of `<T>`. */
export function event<Data>(traits?: Pick<EventDefinition<Data>, "subject" | "state">): EventDefinition<Data>;
export function event<Data>(
  schema: StandardSchema<Data>,
  traits?: Pick<EventDefinition<Data>, "subject" | "state">,
): EventDefinition<Data>;
export function event<Data>(
  first: StandardSchema<Data> | Pick<EventDefinition<Data>, "subject" | "state"> = {},
  traits: Pick<EventDefinition<Data>, "subject" | "state"> = {},
): EventDefinition<Data> {
  if ("~standard" in first) return { ...checkKeys("event", traits, traitNames), schema: first };
  return { ...checkKeys("event", first, traitNames) };
}

// Without its subject or state an event would still be published, and only a mirror or a replica would show it.
const traitNames = ["subject", "state"];

/** Event types with what is known of them: given to a `Broker`, a client, a verifier, which then are typed. */
export interface Vocabulary<Events> extends AnyVocabulary {
  /** Phantom: gives the event map to the compiler only. */
  readonly "~events"?: Events;
}

/** A vocabulary whose event types are not known to the compiler. */
export interface AnyVocabulary {
  /** False when types outside the vocabulary may be published: no vocabulary was declared. */
  readonly isClosed: boolean;
  readonly types: readonly string[];
  has(type: string): boolean;
  /** The validator's output; throws `invalid_data` for what it refuses, `unsupported` for an asynchronous validator. */
  validate(type: string, data: unknown): unknown;
  /** Throws `invalid_data` when the declared function does. */
  subjectOf(type: string, data: unknown): string | undefined;
  /** Whether events of this type change the state of their subject. */
  hasState(type: string): boolean;
  /** The state after the event; `undefined` means gone. */
  stateOf(type: string, data: unknown): unknown;
}

/** Declares the events a service publishes. Throws at the first type that could not be published. */
export function defineEvents<
  const Definitions extends Readonly<Record<string, AnyDefinition | StandardSchema<unknown>>>,
>(definitions: Definitions): Vocabulary<{ readonly [Type in keyof Definitions]: DataOf<Definitions[Type]> }> {
  const known = new Map<string, EventDefinition<unknown>>();
  for (const [type, definition] of Object.entries(definitions)) {
    checkType(type);
    if (typeof definition !== "object" || definition === null) {
      throw new InvalidOptionError({ option: type, expected: "event<T>() or a Standard Schema", received: definition });
    }
    // The payload type is contravariant in the callbacks; inside, every payload is unknown.
    known.set(type, ("~standard" in definition ? { schema: definition } : definition) as EventDefinition<unknown>);
  }
  return vocabularyOf(known, true);
}

/** The vocabulary of a broker that declared none: every well-formed type, nothing known of it. */
export const openVocabulary: AnyVocabulary = vocabularyOf(new Map(), false);

// The payload is contravariant in the callbacks: only what takes `never` takes every definition.
interface AnyDefinition {
  readonly subject?: ((data: never) => string | undefined) | undefined;
  readonly state?: ((data: never) => unknown) | undefined;
}

type DataOf<Definition> =
  Definition extends StandardSchema<infer Output>
    ? Output
    : Definition extends EventDefinition<infer Data>
      ? Data
      : unknown;

function vocabularyOf(known: ReadonlyMap<string, EventDefinition<unknown>>, isClosed: boolean): AnyVocabulary {
  return Object.freeze({
    isClosed,
    types: Object.freeze([...known.keys()]),
    has: (type: string) => known.has(type),
    validate: (type: string, data: unknown) => {
      const schema = known.get(type)?.schema;
      return schema === undefined ? data : validateWith(schema, type, data);
    },
    subjectOf: (type: string, data: unknown) => {
      const definition = known.get(type);
      if (definition?.subject === undefined) return undefined;
      return ask(type, "`subject`", () => definition.subject?.(data));
    },
    hasState: (type: string) => known.get(type)?.state !== undefined,
    stateOf: (type: string, data: unknown) => known.get(type)?.state?.(data),
  });
}

function validateWith(schema: StandardSchema, type: string, data: unknown): unknown {
  const result = ask(type, "the validator", () => schema["~standard"].validate(data));
  // Of another realm or library, a promise is not an `instanceof Promise`, and would be published as nothing.
  if (isThenable(result)) {
    // The caller gets a typed error; what the abandoned validation says later interests nobody.
    watchRejection(result, () => undefined);
    throw new StarcastError(
      "unsupported",
      `Expected the validator of \`${type}\` to answer at once, got a promise: use a synchronous one`,
    );
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues
    .slice(0, 5)
    .map(({ message, path }) => `${path?.map(segmentText).join(".") ?? ""} ${message}`.trim());
  throw new StarcastError(
    "invalid_data",
    `Expected data of \`${type}\` to pass its validator, got: ${issues.join("; ")}`,
  );
}

/** What functions of the vocabulary throw says that they cannot do with the data: the publisher gets a typed error. */
function ask<Answer>(type: string, what: string, question: () => Answer): Answer {
  try {
    return question();
  } catch (error) {
    // It says itself what it expected.
    if (isStarcastError(error)) throw error;
    throw new StarcastError("invalid_data", `Expected data of \`${type}\` that ${what} accepts, it threw`, {
      cause: error,
    });
  }
}

function segmentText(segment: unknown): string {
  return typeof segment === "object" && segment !== null && "key" in segment ? String(segment.key) : String(segment);
}
