import { InvalidOptionError, StarcastError, type LogEvent } from "@starcast/core";
import { escapeLevel } from "./topic-level.ts";

/** Longest topic, in UTF-8 bytes (MQTT 5, section 1.5.4). */
export const maxTopicBytes = 65_535;

/** What a template may ask of an event. */
export type TopicFacts = Pick<LogEvent, "id" | "type" | "subject" | "data">;

/**
 * A topic with placeholders, checked once: `{type}`, `{subject}`, `{id}` and `{data.path}` are one escaped level each;
 * `{type:levels}` is one level per segment of the type, `{subject:levels}` and `{data.path:levels}` one per `/`. Two events
 * whose values differ never get the same topic. (Numbers and booleans of data are rendered as their text.)
 */
export class TopicTemplate {
  readonly text: string;
  readonly #pieces: readonly Piece[];
  #shape: RegExp | undefined;

  /** Throws `InvalidOptionError` for a template that could ever render a wrong topic. */
  constructor(option: string, template: unknown) {
    if (typeof template !== "string" || template === "") {
      throw new InvalidOptionError({
        option,
        expected: 'a topic template like "catalog/{type:levels}/{subject}"',
        received: template,
      });
    }
    this.text = template;
    this.#pieces = parse(template, (expected) => new InvalidOptionError({ option, expected, received: template }));
  }

  /** True when the template has nothing but literals and the subject: all events about one thing share its topic. */
  get isPerSubject(): boolean {
    const fields = this.#pieces.filter((piece) => piece.kind === "field");
    return fields.length > 0 && fields.every(({ name }) => name === "subject");
  }

  /** The topic of an event; throws `topic_unrenderable` when a value is missing or empty, or the topic too long. */
  render(event: TopicFacts): string {
    return renderPieces(this.#pieces, event);
  }

  /** `render` for events of this type alone: what the type stands for is rendered once. */
  rendererOf(type: string): (event: TopicFacts) => string {
    const pieces = fillIn(this.#pieces, type);
    return (event) => renderPieces(pieces, event);
  }

  /** Whether this template can have rendered a topic: the wildcards of its filter let others through, too. */
  owns(topic: string): boolean {
    this.#shape ??= new RegExp(`^${this.#pieces.map(shapeOf).join("")}$`, "u");
    return this.#shape.test(topic);
  }

  /** The topic filter that matches every topic of this template: each placeholder becomes a wildcard. */
  get filter(): string {
    const levels: string[] = [];
    for (const level of this.text.split("/")) {
      if (!level.includes("{")) levels.push(level);
      else if (!level.endsWith(":levels}")) levels.push("+");
      else return [...levels, "#"].join("/");
    }
    return levels.join("/");
  }
}

interface Literal {
  readonly kind: "literal";
  readonly text: string;
}

interface Field {
  readonly kind: "field";
  readonly name: string;
  /** Where in the event's data; empty for the event's own fields. */
  readonly path: readonly string[];
  readonly isLevels: boolean;
}

type Piece = Literal | Field;

function shapeOf(piece: Piece): string {
  if (piece.kind === "literal") return piece.text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return piece.isLevels ? "[^/]+(?:/[^/]+)*" : "[^/]+";
}

const forbidden = /[+#\p{Cc}\p{Noncharacter_Code_Point}\p{Surrogate}]/u;
const placeholder = /^(type|subject|id|data((?:\.[A-Za-z0-9_-]+)+))(:levels)?$/;

function parse(template: string, refuse: (expected: string) => Error): readonly Piece[] {
  const levels = template.split("/").map((level) => parseLevel(level, refuse));
  if (levels.flat().filter((piece) => piece.kind === "field" && piece.isLevels).length > 1) {
    throw refuse("a template with at most one `:levels`, as two would make topics ambiguous");
  }
  if (template.startsWith("$"))
    throw refuse("a template that does not begin with `$`, which belongs to the MQTT broker");
  if (Buffer.byteLength(template) > maxTopicBytes) throw refuse(`a template of at most ${maxTopicBytes} bytes`);
  return levels.flatMap((pieces, index): readonly Piece[] =>
    index === 0 ? pieces : [{ kind: "literal", text: "/" }, ...pieces],
  );
}

function parseLevel(level: string, refuse: (expected: string) => Error): readonly Piece[] {
  if (level === "") throw refuse("a template without empty levels");
  const [before = "", rest, ...more] = level.split("{");
  if (more.length > 0)
    throw refuse("a template with at most one placeholder per level, as two would run into each other");
  if (forbidden.test(level)) throw refuse("a template without wildcards and control characters");
  if (rest === undefined) {
    if (level.includes("}")) throw refuse("a template whose braces are in pairs");
    return [{ kind: "literal", text: level }];
  }
  const [name = "", after, ...tooMany] = rest.split("}");
  if (before.includes("}") || after === undefined || tooMany.length > 0)
    throw refuse("a template whose braces are in pairs");
  const field = parseField(name, refuse);
  if (field.isLevels && level !== `{${name}}`) throw refuse("a template where `:levels` stands alone between slashes");
  return [...literal(before), field, ...literal(after)];
}

function parseField(name: string, refuse: (expected: string) => Error): Field {
  const match = placeholder.exec(name);
  if (match === null || name === "id:levels") {
    throw refuse(
      "a template with no placeholders but {type}, {subject}, {id}, {data.path}, {type:levels}, {subject:levels} and {data.path:levels}",
    );
  }
  const [, field = "", path = "", levels] = match;
  return {
    kind: "field",
    name: field,
    path: path === "" ? [] : path.slice(1).split("."),
    isLevels: levels !== undefined,
  };
}

function literal(text: string): readonly Literal[] {
  return text === "" ? [] : [{ kind: "literal", text }];
}

/** The pieces with those of the type filled in, and literals side by side made one. */
function fillIn(pieces: readonly Piece[], type: string): readonly Piece[] {
  const filled: Piece[] = [];
  for (const piece of pieces) {
    if (piece.kind === "field" && piece.name !== "type") {
      filled.push(piece);
      continue;
    }
    const text = piece.kind === "literal" ? piece.text : renderField(piece, type, type);
    const last = filled.at(-1);
    if (last?.kind === "literal") filled[filled.length - 1] = { kind: "literal", text: last.text + text };
    else filled.push({ kind: "literal", text });
  }
  return filled;
}

function renderPieces(pieces: readonly Piece[], event: TopicFacts): string {
  let topic = "";
  for (const piece of pieces)
    topic += piece.kind === "literal" ? piece.text : renderField(piece, valueOf(piece, event), event.type);
  // A UTF-16 unit is at most three bytes, so most topics need no counting.
  if (topic.length * 3 > maxTopicBytes && Buffer.byteLength(topic) > maxTopicBytes) {
    throw unrenderable(
      `Expected a topic of at most ${maxTopicBytes} bytes for \`${event.type}\`, got ${Buffer.byteLength(topic)}`,
    );
  }
  return topic;
}

function renderField(field: Field, value: string, type: string): string {
  if (!field.isLevels) {
    if (value === "") throw unrenderable(`Expected a value for {${field.name}} of \`${type}\`, got an empty text`);
    return escapeLevel(value);
  }
  const levels = value.split(field.name === "type" ? "." : "/");
  if (levels.includes(""))
    throw unrenderable(`Expected levels that are not empty for {${field.name}:levels} of \`${type}\`, got one that is`);
  return levels.map(escapeLevel).join("/");
}

function valueOf(field: Field, event: TopicFacts): string {
  if (field.name === "type") return event.type;
  if (field.name === "id") return event.id;
  const value = field.name === "subject" ? event.subject : valueAt(event.data, field.path);
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const received = value === undefined ? "nothing" : value === null ? "null" : "an object";
  throw unrenderable(
    `Expected a text, a number or a boolean for {${field.name}} of \`${event.type}\`, got ${received}`,
  );
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  let value: unknown = data;
  for (const key of path) {
    // Own properties only: `{data.constructor}` is nothing.
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function unrenderable(message: string): StarcastError {
  return new StarcastError("topic_unrenderable", message);
}
