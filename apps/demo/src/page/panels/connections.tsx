import type { VNode } from "preact";
import type { ConnectionReport, Report } from "../../status/report.ts";
import { counts } from "../feed/catalog-feed.ts";
import { report } from "../feed/report-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { Pill } from "../pieces/pill.tsx";
import { ago, bytes, count } from "../words/format.ts";
import { states } from "../words/transports.ts";

/** So many events behind are no longer the way things go. */
const slowFrom = 50;

const gatewayNames: Readonly<Record<string, string>> = { websocket: "WebSocket", sse: "SSE" };

/** Who is connected, who is slow, and who missed anything. */
export function Connections(): VNode {
  const now = report.value;
  return (
    <Panel
      id="connections"
      title="Connections"
      about="Everyone at the gateways: this page, the demo's receivers, your curl."
    >
      {now !== null && <Open now={now} />}
    </Panel>
  );
}

function Open({ now }: { readonly now: Report }): VNode {
  const { open, more, departures, totals } = now.connections;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Open</dt>
          <dd data-number="open">{count(open.length + more)}</dd>
        </div>
        <div>
          <dt>Resumed exactly</dt>
          <dd data-number="resumed">{count(totals.resumed)}</dd>
        </div>
        <div>
          <dt>Gaps told</dt>
          <dd data-number="gapped">{count(totals.gapped)}</dd>
        </div>
        <div>
          <dt>Gaps here</dt>
          <dd data-number="own-gaps">{count(counts.value.gaps)}</dd>
        </div>
      </dl>
      <table class="plain">
        <caption class="muted">Open now, the slowest first{more > 0 && `; ${count(more)} more are not listed`}</caption>
        <tbody>
          {open.map((connection) => (
            <Connection key={connection.clientId} connection={connection} now={now} />
          ))}
        </tbody>
      </table>
      {departures.length > 0 && (
        <table class="plain">
          <caption class="muted">Left</caption>
          <tbody>
            {departures.slice(0, 4).map(({ clientId, gateway, reason, atMs }) => (
              <tr key={`${clientId} ${atMs}`}>
                <th scope="row">{gatewayNames[gateway] ?? gateway}</th>
                <td>{reason.replaceAll("_", " ")}</td>
                <td>{ago(atMs, Date.now())}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Connection({ connection, now }: { readonly connection: ConnectionReport; readonly now: Report }): VNode {
  const { gateway, receiver, isResumed, gaps, sinceMs, lagEvents, unsentBytes } = connection;
  const known = receiver === null ? null : now.receivers[receiver];
  // A few events are on their way at any time.
  const isSlow = lagEvents >= slowFrom || unsentBytes > 0;
  return (
    <tr data-connection={gateway}>
      <th scope="row">
        {gatewayNames[gateway] ?? gateway}{" "}
        <small class="muted">{receiver === null ? "page or program" : "the demo's receiver"}</small>
        {isSlow && (
          <small class="lag">
            {count(lagEvents)} events behind, {bytes(unsentBytes)} unsent
          </small>
        )}
      </th>
      <td>
        {known !== null && known.state !== "live" ? (
          <Pill tone={states[known.state].tone}>{states[known.state].word}</Pill>
        ) : isSlow ? (
          <Pill tone="busy">Slow</Pill>
        ) : (
          <Pill tone="good">{isResumed ? "Resumed" : "Keeps up"}</Pill>
        )}
        {gaps > 0 && ` ${count(gaps)} gaps`}
      </td>
      <td>{ago(sinceMs, Date.now())}</td>
    </tr>
  );
}
