import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { rowsInSight } from "../words/rows.ts";
import type { Row } from "../words/rows.ts";
import { ModelRow } from "./model-row.tsx";

/** The same in style/table.css. */
const rowHeight = 52;

const columns = ["Model", "Context", "Input, $/M", "Output, $/M", "Trend", "Changed"];

/** Thousands of rows, of which those in sight are drawn. */
export function ModelTable({ rows }: { readonly rows: readonly Row[] }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const sight = useSignal({ scrollTop: 0, height: 520 });
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => void (now.value = Date.now()), 1_000);
    const look = (): void => {
      const { current } = box;
      if (current !== null) sight.value = { scrollTop: current.scrollTop, height: current.clientHeight };
    };
    look();
    addEventListener("resize", look);
    return () => {
      clearInterval(timer);
      removeEventListener("resize", look);
    };
  }, []);
  const { from, to } = rowsInSight({ ...sight.value, rowHeight }, rows.length);
  return (
    <div
      class="table-box"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label="Models"
      onScroll={({ currentTarget: { scrollTop, clientHeight } }) =>
        void (sight.value = { scrollTop, height: clientHeight })
      }
    >
      <div role="table" aria-label="Models" aria-rowcount={rows.length + 1}>
        <div role="rowgroup" class="table-head">
          <div role="row" class="model-row" aria-rowindex={1}>
            {columns.map((name) => (
              <span key={name} role="columnheader" class={`cell-${name.split(/[, ]/)[0]?.toLowerCase() ?? ""}`}>
                {name}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="table-body" style={{ height: `${rows.length * rowHeight}px` }}>
          {rows.slice(from, to).map((row, index) => (
            <ModelRow key={row.key} row={row} place={from + index} top={(from + index) * rowHeight} now={now.value} />
          ))}
        </div>
      </div>
      {rows.length === 0 && <p class="muted nothing">No model matches.</p>}
    </div>
  );
}
