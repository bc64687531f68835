import type { VNode } from "preact";
import type { EndpointReport } from "../../status/report.ts";
import { giveOrder } from "../feed/give-order.ts";
import { report } from "../feed/report-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { Pill } from "../pieces/pill.tsx";
import { count, duration } from "../words/format.ts";

/** The endpoints of partners: what they got, what waits for them, and what was given up. */
export function Webhooks(): VNode {
  const webhooks = report.value?.webhooks;
  return (
    <Panel
      id="webhooks"
      title="Webhooks"
      about="Each event, signed, posted to partners, and again until it is taken; what is given up is kept for people."
      aside={
        webhooks !== undefined && (
          <p class="tallies">
            <span>
              <b>{count(webhooks.succeeded)}</b> taken
            </span>
            <span>
              <b>{count(webhooks.failed)}</b> attempts failed
            </span>
          </p>
        )
      }
    >
      <div class="endpoints">
        {webhooks?.endpoints.map((endpoint) => (
          <Endpoint key={endpoint.id} {...endpoint} />
        ))}
      </div>
    </Panel>
  );
}

function Endpoint(endpoint: EndpointReport): VNode {
  const { id, about, url, isUp, pending, attempting, dead, keyLabels, waiting, deadLetters, maxAttempts } = endpoint;
  const order = (action: string, done: string): void =>
    void giveOrder({ what: "webhooks", action, endpoint: id }, done);
  return (
    <article class="endpoint" data-endpoint={id}>
      <header>
        <h3>{id}</h3>
        <Pill tone={isUp ? "good" : "bad"}>{isUp ? "Up" : "Down"}</Pill>
      </header>
      <p class="muted">{about}.</p>
      <dl class="facts">
        <div>
          <dt>Waiting</dt>
          <dd data-number="pending">{count(pending + attempting)}</dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd data-number="dead" class={dead > 0 ? "alarming" : ""}>
            {count(dead)}
          </dd>
        </div>
        <div>
          <dt>Attempts, at most</dt>
          <dd>{count(maxAttempts)}</dd>
        </div>
      </dl>
      <ul class="letters" aria-label={`Deliveries of ${id} that are tried again`}>
        {waiting.map(({ eventId, subject, attempts, category, dueAt }) => (
          <li key={eventId}>
            <span class="subject">{subject}</span>
            <small>
              <b>{attempts}</b> tried, {category.replaceAll("_", " ")}; {nextTry(dueAt)}
            </small>
          </li>
        ))}
        {deadLetters.map(({ eventId, subject, attempts, reason }) => (
          <li key={`${eventId} dead`} class="dead">
            <span class="subject">{subject}</span>
            <small>
              given up after {attempts}, {reason.replaceAll("_", " ")}
            </small>
          </li>
        ))}
        {waiting.length + deadLetters.length === 0 && <li class="muted">Everything was taken.</li>}
      </ul>
      <footer>
        <button
          type="button"
          disabled={dead === 0}
          onClick={() => order("redeliver", `The dead letters of ${id} are sent again.`)}
        >
          Redeliver
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => order("rotate", `${id} has a new key; the old one signs beside it for a minute.`)}
        >
          Rotate the key
        </button>
      </footer>
      <p class="keys muted">
        <span title={url}>{url.replace(/^https?:\/\//, "")}</span> · signed with{" "}
        {keyLabels.map((label) => (
          <code key={label}>{label}</code>
        ))}
      </p>
    </article>
  );
}

function nextTry(dueAt: number | null): string {
  if (dueAt === null) return "being tried now";
  return `next in ${duration(Math.max(0, dueAt - Date.now()))}`;
}
