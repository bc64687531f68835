import { useSignalEffect } from "@preact/signals";
import type { VNode } from "preact";
import { notice } from "../feed/give-order.ts";

const shownMs = 6_000;

/** What came of the last order; read out, and gone by itself. */
export function Notice(): VNode {
  useSignalEffect(() => {
    const shown = notice.value;
    if (shown === null) return undefined;
    const timer = setTimeout(() => void (notice.value === shown && (notice.value = null)), shownMs);
    return () => clearTimeout(timer);
  });
  const shown = notice.value;
  return (
    <div class="notice" role="status" aria-live="polite">
      {shown !== null && (
        <p key={shown.id} class={shown.kind}>
          {shown.text}
        </p>
      )}
    </div>
  );
}
