export { follow } from "./follow.ts";
export type { FollowOptions } from "./follow-options.ts";
export type { ConnectionOptions, TlsOptions } from "../connection-options.ts";
export type { Credentials } from "../mqtt-url.ts";
export type { Qos } from "../options.ts";
