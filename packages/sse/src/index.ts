export { SseGateway } from "./sse-gateway.ts";
export type { FetchFacts } from "./sse-gateway.ts";
export type { SseOptions } from "./options.ts";
export type { Payload } from "./event-stream.ts";
export { allowAnyone } from "@starcast/core/gateway";
export type { Authorize, Grant, Visitor } from "@starcast/core/gateway";
