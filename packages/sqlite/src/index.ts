export { SqliteStore } from "./sqlite-store.ts";
export type { SqliteOptions, SqliteRetention } from "./options.ts";
