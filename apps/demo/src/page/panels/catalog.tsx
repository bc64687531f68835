import { useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import {
  counts,
  followCatalog,
  isLoading,
  lastDeleted,
  marks,
  models,
  provider,
  providers,
} from "../feed/catalog-feed.ts";
import { ModelTable } from "../pieces/model-table.tsx";
import { Panel } from "../pieces/panel.tsx";
import { PublishForm } from "../pieces/publish-form.tsx";
import { count } from "../words/format.ts";
import { rowsOf } from "../words/rows.ts";
import type { Order } from "../words/rows.ts";

/** Every model of the catalog, as this page's own connection tells it. */
export function Catalog(): VNode {
  const search = useSignal("");
  const order = useSignal<Order>("changed");
  const rows = useComputed(() => rowsOf(models.value, marks.value, { search: search.value, order: order.value }));
  const { added, updated, deleted } = counts.value;
  return (
    <Panel
      id="catalog"
      title="The catalog, live"
      about="A copy of the server's state in this page: loaded once, then kept by events."
      aside={
        <p class="tallies" aria-label="Changes since this filter was chosen">
          <span>
            <b data-number="added">+{count(added)}</b> added
          </span>
          <span>
            <b data-number="updated">{count(updated)}</b> updated
          </span>
          <span title={lastDeleted.value === null ? undefined : `Last: ${lastDeleted.value}`}>
            <b data-number="deleted">−{count(deleted)}</b> deleted
          </span>
        </p>
      }
    >
      <div class="filters">
        <label class="grow">
          <span>Search</span>
          <input
            type="search"
            placeholder="gpt, claude, 70b…"
            maxLength={80}
            value={search.value}
            onInput={({ currentTarget }) => void (search.value = currentTarget.value)}
          />
        </label>
        <label>
          <span>Provider</span>
          <select
            value={provider.value ?? ""}
            onChange={({ currentTarget }) => followCatalog(currentTarget.value === "" ? null : currentTarget.value)}
          >
            <option value="">All {count(providers.value.length)}</option>
            {providers.value.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>First</span>
          <select
            value={order.value}
            onChange={({ currentTarget }) => void (order.value = currentTarget.value as Order)}
          >
            <option value="changed">latest change</option>
            <option value="name">name</option>
            <option value="price">highest price</option>
          </select>
        </label>
      </div>
      <p class="filter-note muted" role="status">
        {isLoading.value
          ? "Loading…"
          : `${count(rows.value.length)} models. ${provider.value === null ? "Choose a provider, and the server sends this page nothing else." : `The server sends this page only ${provider.value}.`}`}
      </p>
      <ModelTable rows={rows.value} />
      <PublishForm />
    </Panel>
  );
}
