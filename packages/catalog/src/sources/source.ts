/** What a source is asked. */
export interface SourceRequest {
  /** What the source called the version that was published last; null before the first. */
  readonly known: string | null;
  /** Aborted when the answer takes too long or the sync closes. */
  readonly signal: AbortSignal;
}

/** A whole catalog, the version it is, or that it is still the known one. */
export type SourceAnswer<Entry> =
  | readonly Entry[]
  | { readonly kind: "catalog"; readonly entries: readonly Entry[]; readonly version: string | null }
  | { readonly kind: "unchanged" };

/**
 * Where a catalog comes from. MUST give the whole catalog or reject; MUST answer `unchanged` only when it is the `known`
 * version. A rejection with `not_authorized` is terminal: the sync polls no more.
 */
export type CatalogSource<Entry> = (request: SourceRequest) => SourceAnswer<Entry> | Promise<SourceAnswer<Entry>>;
