import type { VNode } from "preact";
import { ago, money, tokens } from "../words/format.ts";
import { pricesOf } from "../words/prices.ts";
import type { Row } from "../words/rows.ts";
import { Sparkline } from "./sparkline.tsx";

export interface ModelRowProps {
  readonly row: Row;
  readonly place: number;
  readonly top: number;
  readonly now: number;
}

/** One model; it flashes once for each change. Everything of it is text. */
export function ModelRow({ row: { key, model, mark }, place, top, now }: ModelRowProps): VNode {
  const { input, output } = pricesOf(model);
  const name = String(model.name ?? model.id);
  return (
    <div
      role="row"
      class="model-row"
      aria-rowindex={place + 2}
      data-key={key}
      data-change={mark?.kind}
      style={{ transform: `translateY(${top}px)` }}
    >
      {mark !== null && <span key={mark.id} class={`flash ${mark.kind}`} aria-hidden="true" />}
      <span role="cell" class="cell-model">
        <b title={name}>{name}</b>
        <small class="muted" title={key}>
          {key}
        </small>
      </span>
      <span role="cell" class="cell-context">
        {tokens(model["context_window"])}
      </span>
      <span role="cell" class="cell-input">
        {mark !== null && mark.price !== null ? <Moved {...mark.price} /> : money(input)}
      </span>
      <span role="cell" class="cell-output">
        {money(output)}
      </span>
      <span role="cell" class="cell-trend">
        {mark !== null && new Set(mark.trend).size > 1 && (
          <Sparkline
            values={mark.trend}
            length={mark.trend.length}
            label={`Input price, from ${money(mark.trend[0] ?? null)}`}
          />
        )}
      </span>
      <span role="cell" class="cell-changed">
        {mark === null ? "" : `${mark.kind === "added" ? "new, " : ""}${ago(mark.at, now)}`}
      </span>
    </div>
  );
}

function Moved({ from, to }: { readonly from: number; readonly to: number }): VNode {
  const isUp = to > from;
  return (
    <span class={isUp ? "moved up" : "moved down"}>
      <s>{money(from)}</s>
      <span aria-hidden="true">{isUp ? "↑" : "↓"}</span>
      <b>{money(to)}</b>
    </span>
  );
}
