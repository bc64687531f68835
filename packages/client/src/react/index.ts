export { useClientState, useEvents, useReplica } from "./hooks.ts";
