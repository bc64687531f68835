import type { ComponentChildren, VNode } from "preact";

export interface PanelProps {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it shows. */
  readonly about: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of the page with its heading. */
export function Panel({ id, title, about, aside, children }: PanelProps): VNode {
  return (
    <section class="panel" id={id} aria-labelledby={`${id}-title`}>
      <header class="panel-head">
        <div>
          <h2 id={`${id}-title`}>{title}</h2>
          <p class="muted">{about}</p>
        </div>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}
