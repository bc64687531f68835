export { JetStreamStore } from "./jetstream-store.ts";
export type { JetStreamCredentials, JetStreamOptions, JetStreamRetention, JetStreamTls } from "./options.ts";
