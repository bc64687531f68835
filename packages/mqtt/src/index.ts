import "./moments.ts";

export { MqttPublisher } from "./mqtt-publisher.ts";
export type { MessageOptions, MessageRule, MqttPublisherOptions, Qos } from "./options.ts";
export type { ConnectionOptions, TlsOptions } from "./connection-options.ts";
export type { CloudEventsPayload, Payload } from "./payload-options.ts";
export type { TraceparentOf } from "./trace-context.ts";
export type { StateEntries, StateOptions, StatusOptions } from "./state-options.ts";
export type { Credentials } from "./mqtt-url.ts";
export { MqttReasonError } from "./reason-codes.ts";
export type { Remedy } from "./reason-codes.ts";
export { TopicTemplate, maxTopicBytes } from "./topic-template.ts";
export type { TopicFacts } from "./topic-template.ts";
export { escapeLevel, unescapeLevel } from "./topic-level.ts";
