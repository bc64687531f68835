export { replica } from "./replica.ts";
export type { Replica, ReplicaState } from "./replica.ts";
export type { Loaded, Reduce, ReplicaOptions } from "./options.ts";
