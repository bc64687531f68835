import { signal } from "@preact/signals";
import type { CatalogEvents, Model } from "@starcast/catalog";
import { connect } from "@starcast/client";
import type { ClientState, EventClient, EventsMatching } from "@starcast/client";
import { replica } from "@starcast/client/replica";
import { pricesOf } from "../words/prices.ts";
import { CuttableSocket } from "./cuttable-socket.ts";

type Events = CatalogEvents<"model", Model>;
type ModelEvent = EventsMatching<Events, "model.*">;

/** What happened to a model last. */
export interface Mark {
  readonly id: string;
  readonly at: number;
  readonly kind: "added" | "updated";
  /** The input price before and after, where that is what changed. */
  readonly price: { readonly from: number; readonly to: number } | null;
  /** Newest last. */
  readonly trend: readonly number[];
}

/** Prices that a sparkline shows. */
const maxTrend = 16;

export const models = signal<ReadonlyMap<string, Model>>(new Map());
export const marks = signal<ReadonlyMap<string, Mark>>(new Map());
export const clientState = signal<ClientState | null>(null);
export const isLoading = signal(true);
/** Of the connection: the server sends events of this provider alone. */
export const provider = signal<string | null>(null);
export const counts = signal({ added: 0, updated: 0, deleted: 0, gaps: 0 });
export const lastDeleted = signal<string | null>(null);

/** Every provider that was ever seen, so that a filter does not hide the others. */
export const providers = signal<readonly string[]>([]);

let client: EventClient<Events> | null = null;

/** Follows the catalog, or one provider of it: a connection with that filter, and a replica upon it. */
export function followCatalog(wanted: string | null): void {
  void client?.close();
  provider.value = wanted;
  isLoading.value = true;
  marks.value = new Map();
  counts.value = { added: 0, updated: 0, deleted: 0, gaps: 0 };
  const mine = connect<Events>({
    url: "/events",
    types: ["model.*"],
    subjects: wanted === null ? undefined : [`${wanted}/*`],
    runtime: { webSocket: CuttableSocket },
  });
  client = mine;
  const fresh = gathered();
  mine.on("state", (state) => void (client === mine && (clientState.value = state)));
  mine.on("gap", () => void (counts.value = { ...counts.value, gaps: counts.value.gaps + 1 }));
  mine.on("model.*", (event) => void (client === mine && fresh(event)));
  const copy = replica<Events, Model>(mine, {
    load: async () => {
      const answer = await fetch(wanted === null ? "/models" : `/models?provider=${encodeURIComponent(wanted)}`);
      if (!answer.ok) throw new Error(`Expected the catalog, got ${answer.status}`);
      return (await answer.json()) as { readonly position: string; readonly entries: [string, Model][] };
    },
    reduce: (entries, event) => {
      if (event.type === "model.deleted") entries.delete(event.subject ?? "");
      else if (event.type !== "sync.started" && event.type !== "sync.completed")
        entries.set(event.subject ?? "", event.data.model);
    },
  });
  copy.subscribe((entries) => {
    if (client !== mine || copy.state === "loading") return;
    isLoading.value = false;
    models.value = entries;
    remember(entries);
  });
}

function remember(entries: ReadonlyMap<string, Model>): void {
  const seen = new Set(providers.value);
  for (const model of entries.values()) seen.add(model.provider);
  if (seen.size !== providers.value.length) providers.value = [...seen].sort();
}

/** Marks many changes with one look of the page. */
function gathered(): (event: ModelEvent) => void {
  let waiting: ModelEvent[] = [];
  return (event) => {
    waiting.push(event);
    if (waiting.length > 1) return;
    // A page in the background draws nothing, and still has to be told.
    setTimeout(() => {
      const events = waiting;
      waiting = [];
      mark(events);
    }, 50);
  };
}

function mark(events: readonly ModelEvent[]): void {
  const next = new Map(marks.value);
  const sums = { ...counts.value };
  for (const event of events) {
    const key = event.subject ?? "";
    if (event.type === "model.deleted") {
      sums.deleted += 1;
      next.delete(key);
      lastDeleted.value = key;
      continue;
    }
    const isAdded = event.type === "model.added";
    if (isAdded) sums.added += 1;
    else sums.updated += 1;
    const to = pricesOf(event.data.model).input;
    const from = event.type === "model.updated" ? pricesOf(event.data.previous).input : null;
    const trend = next.get(key)?.trend ?? (from === null ? [] : [from]);
    next.set(key, {
      id: event.id,
      at: Date.parse(event.timestamp),
      kind: isAdded ? "added" : "updated",
      price: from !== null && to !== null && from !== to ? { from, to } : null,
      trend: to === null ? trend : [...trend, to].slice(-maxTrend),
    });
  }
  marks.value = next;
  counts.value = sums;
}
