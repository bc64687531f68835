export { WebSocketGateway } from "./websocket-gateway.ts";
export type { InboundOptions, WebSocketOptions } from "./options.ts";
export type { UpgradeHandler, UpgradeSource } from "./upgrade-listener.ts";
export { allowAnyone } from "@starcast/core/gateway";
export type { Authorize, GatewayOptions, Grant, Visitor } from "@starcast/core/gateway";
