import type { VNode } from "preact";
import type { Tone } from "../words/transports.ts";

/** A state in a word; the colour says it again. */
export function Pill({ tone, children }: { readonly tone: Tone; readonly children: string }): VNode {
  return (
    <span class={`pill ${tone}`}>
      <span class="pill-dot" aria-hidden="true" />
      {children}
    </span>
  );
}
