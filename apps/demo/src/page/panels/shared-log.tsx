import type { ClientEvent } from "@starcast/client";
import type { VNode } from "preact";
import { latest, stream } from "../feed/cluster-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { count } from "../words/format.ts";

/** What this page gets of the log that all gateways share, whichever of them it is connected to. */
export function SharedLog(): VNode {
  const { events, reconnects, missing, gaps } = stream.value;
  return (
    <Panel
      id="shared-log"
      title="One log"
      about="This page follows it over one gateway. When that is killed it comes back on another, at the event after its last."
      aside={
        <dl class="books" aria-label="What this page was told">
          <div class="lost">
            <dt>missing</dt>
            <dd data-number="missing">{count(missing)}</dd>
          </div>
          <div>
            <dt>events</dt>
            <dd data-number="events">{count(events)}</dd>
          </div>
          <div>
            <dt>reconnects</dt>
            <dd data-number="reconnects">{count(reconnects)}</dd>
          </div>
          <div>
            <dt>told as gaps</dt>
            <dd data-number="gaps">{count(gaps)}</dd>
          </div>
        </dl>
      }
    >
      <table class="plain">
        <caption class="muted">Newest</caption>
        <tbody>
          {latest.value.map((event) => (
            <tr key={event.id}>
              <th scope="row">
                <code>{event.id}</code>
              </th>
              <td>{publisherOf(event)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

// Nodes say who they are in the subject.
function publisherOf({ subject = "" }: ClientEvent): string {
  return `by ${subject}`;
}
