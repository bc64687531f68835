export { catalogEvents, defineCatalogEvents } from "./catalog-events.ts";
export type {
  CatalogEvents,
  EntryAdded,
  EntryDeleted,
  EntryUpdated,
  ModelAdded,
  ModelDeleted,
  ModelUpdated,
  SyncCompleted,
  SyncStarted,
} from "./catalog-events.ts";

export { entryKind } from "./entry-kind.ts";
export type { EntryKind } from "./entry-kind.ts";
export { keyOfModel, models } from "./model.ts";
export type { Model } from "./model.ts";

export { diffCatalogs } from "./diff-catalogs.ts";
export type { CatalogDiff, Snapshot, Update } from "./diff-catalogs.ts";
export { findChanges } from "./changes.ts";
export type { Change } from "./changes.ts";

export { CatalogSync } from "./catalog-sync.ts";
export type { CatalogSyncOptions, FirstLoad } from "./options.ts";
export type { SyncReport, SyncStatus } from "./sync-report.ts";
export type { SyncCounts } from "./announcement.ts";

export type { CatalogSource, SourceAnswer, SourceRequest } from "./sources/source.ts";
export { fromFile } from "./sources/from-file.ts";
export { fromStarmap } from "./sources/from-starmap.ts";
export { fromUrl } from "./sources/from-url.ts";
export type {
  FileSourceOptions,
  HttpSourceOptions,
  ReadDocument,
  RequestHeaders,
  UrlSourceOptions,
} from "./sources/options.ts";
export { readStarmapPayload } from "./sources/starmap-payload.ts";
