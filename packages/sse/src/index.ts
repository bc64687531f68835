export { SseGateway } from "./sse-gateway.ts";
export type { FetchFacts } from "./sse-gateway.ts";
export type { SseOptions } from "./options.ts";
export type { Payload } from "./event-stream.ts";
export { Tickets, allowAnyone } from "@starcast/core/gateway";
export type { Authorize, GatewayStats, Grant, TicketOptions, Visitor } from "@starcast/core/gateway";
