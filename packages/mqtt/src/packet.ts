import {
  cloudEventAttributes,
  cloudEventsContentType,
  cloudEventText,
  jsonEnvelope,
  type LogEvent,
} from "@starcast/core";
import type { Message, MessageProperties } from "./message.ts";
import type { ResolvedRule } from "./options.ts";
import { traceparentOf } from "./trace-context.ts";

/** Event types whose rule is remembered; types may be made up, so their number is bounded. */
const maxKnownTypes = 1_000;

/** A rule as it is for one type. */
interface TypeRule {
  readonly rule: ResolvedRule;
  readonly topicOf: (event: LogEvent) => string;
}

/** Turns events into publications, by the first rule that matches their type. */
export class Packets {
  readonly #rules: readonly ResolvedRule[];
  readonly #known = new Map<string, TypeRule>();

  constructor(rules: readonly ResolvedRule[]) {
    this.#rules = rules;
  }

  /** The publication of an event; throws `topic_unrenderable` when its topic cannot be said. */
  render(event: LogEvent): Message {
    const { rule, topicOf } = this.#ruleOf(event.type);
    const { qos, retain, payload } = rule;
    const topic = topicOf(event);
    const trace = rule.traceparent === null ? null : traceparentOf(event, rule.traceparent);
    const userProperties = trace === null ? undefined : { traceparent: trace };
    switch (payload.kind) {
      case "envelope":
        return {
          topic,
          payload: jsonEnvelope(event),
          qos,
          retain,
          properties: propertiesOf(rule, null, userProperties),
        };
      case "data":
        return { topic, payload: event.json, qos, retain, properties: propertiesOf(rule, null, userProperties) };
      case "cloudevents-structured":
        // CloudEvents MQTT binding 1.0, section 3.2.1; with MQTT 3.1.1 the receiver has to know.
        return {
          topic,
          payload: withTrace(cloudEventText(event, payload.source), trace),
          qos,
          retain,
          properties: propertiesOf(rule, cloudEventsContentType),
        };
      case "cloudevents-binary": {
        // Section 3.1: attributes as user properties by their own names, the data's type as the content type.
        const attributes = Object.fromEntries(cloudEventAttributes(event, payload.source));
        return {
          topic,
          payload: event.json,
          qos,
          retain,
          properties: propertiesOf(rule, "application/json", { ...attributes, ...userProperties }),
        };
      }
    }
  }

  #ruleOf(type: string): TypeRule {
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    const rule = this.#rules.find(({ filter }) => filter === null || filter.matches({ type, subject: undefined }));
    if (rule === undefined) throw new RangeError("Expected a last rule that takes every event, got none");
    if (this.#known.size >= maxKnownTypes) this.#known.clear();
    const ofType = { rule, topicOf: rule.topic.rendererOf(type) };
    this.#known.set(type, ofType);
    return ofType;
  }
}

// CloudEvents distributed tracing extension: an attribute like the others, of characters that need no escaping.
function withTrace(cloudEvent: string, trace: string | null): string {
  return trace === null ? cloudEvent : `${cloudEvent.slice(0, -1)},"traceparent":"${trace}"}`;
}

function propertiesOf(
  rule: ResolvedRule,
  ofFormat: string | null,
  userProperties?: Readonly<Record<string, string>>,
): MessageProperties | undefined {
  const contentType = rule.contentType ?? ofFormat;
  // The default says nothing beside the payload: properties cost as much as the rest of the packet.
  if (contentType === null && rule.expirySeconds === null && userProperties === undefined) return undefined;
  return {
    ...(contentType === null ? {} : { contentType }),
    ...(rule.expirySeconds === null ? {} : { messageExpiryInterval: rule.expirySeconds }),
    ...(userProperties === undefined ? {} : { userProperties }),
  };
}
