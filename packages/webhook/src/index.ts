export { WebhookDispatcher } from "./webhook-dispatcher.ts";
export type { AttemptOptions, HealthOptions, NetworkOptions, WebhookDispatcherOptions } from "./options.ts";

export type { EndpointRegistry, EndpointWithKeys, RotateOptions } from "./endpoint-registry.ts";
export type { EndpointOptions, Ordering, PayloadFormat } from "./endpoint-options.ts";
export type { DisabledReason, Endpoint, EndpointState } from "./endpoint.ts";

export type { Deliveries, PageOptions } from "./deliveries.ts";
export type { DeadLetters, DeadLetterSelection } from "./dead-letters.ts";

export { judgeAddress } from "./address-guard.ts";
export type { AddressVerdict } from "./address-guard.ts";
export type { Dial, DialTarget } from "./guarded-connect.ts";
export { dnsLookup } from "./name-lookup.ts";
export type { NameLookup } from "./name-lookup.ts";
export type { FailureCategory } from "./outcome.ts";
export type {} from "./moments.ts";
