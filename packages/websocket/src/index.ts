export { WebSocketGateway } from "./websocket-gateway.ts";
export type { InboundOptions, WebSocketOptions } from "./options.ts";
export type { UpgradeHandler, UpgradeSource } from "./upgrade-listener.ts";
export { Tickets, allowAnyone } from "@starcast/core/gateway";
export type { Authorize, GatewayOptions, GatewayStats, Grant, TicketOptions, Visitor } from "@starcast/core/gateway";
