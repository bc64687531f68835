import type { VNode } from "preact";
import { transportKeys } from "../../status/report.ts";
import type { Report, TransportKey } from "../../status/report.ts";
import { historyLength, histories, report } from "../feed/report-feed.ts";
import { Pill } from "../pieces/pill.tsx";
import { Sparkline } from "../pieces/sparkline.tsx";
import { Track } from "../pieces/track.tsx";
import { count, duration } from "../words/format.ts";
import { states, transports } from "../words/transports.ts";

/** The whole in one picture: publish, log, transports, and nothing lost. */
export function Flow(): VNode {
  const now = report.value;
  return (
    <section class="flow" id="flow" aria-labelledby="flow-title">
      <div class="flow-claim">
        <h1 id="flow-title">
          Published once. Delivered everywhere. <em>Nothing lost.</em>
        </h1>
        <p class="lead">
          A catalog of AI models changes, live. Each change is one event with one place in one log; whoever is slow, cut
          off or away comes back to exactly where it was.
        </p>
      </div>
      {now === null ? <p class="muted">Looking…</p> : <Way now={now} />}
    </section>
  );
}

function Way({ now }: { readonly now: Report }): VNode {
  return (
    <div class="way">
      <h2 class="unseen">The way of an event</h2>
      <div class="way-source">
        <div class="node">
          <span class="node-label">Publisher</span>
          <strong class="node-number" data-number="rate">
            {count(now.perSecond)}
          </strong>
          <span class="node-unit">events per second</span>
        </div>
        <Track reached={now.head} label="from the publisher to the log" />
        <div class="node log">
          <span class="node-label">One log</span>
          <strong class="node-number" data-number="head">
            {count(now.head)}
          </strong>
          <span class="node-unit">events, {engineOf(now)}</span>
        </div>
      </div>
      <div class="lanes">
        {transportKeys.map((key) => (
          <Lane key={key} transport={key} now={now} />
        ))}
      </div>
    </div>
  );
}

function Lane({ transport, now }: { readonly transport: TransportKey; readonly now: Report }): VNode {
  const { name, receiver, receivers } = transports[transport];
  const { state, offset, lag, perSecond, p50Ms, p99Ms, subscribers, position } = now.receivers[transport];
  const { rates, lags, p99s } = histories.value[transport];
  const { word, tone } = states[state];
  return (
    <article class="lane" data-transport={transport} data-state={state} aria-label={name}>
      <Track reached={offset} waiting={lag} tone={tone} label={`from the log to ${name}`} />
      <div class="lane-card">
        <div class="lane-name">
          <h3>{name}</h3>
          <span class="muted">
            {count(subscribers)} {subscribers === 1 ? receiver : receivers}
          </span>
        </div>
        <Pill tone={tone}>{word}</Pill>
        <dl class="lane-numbers">
          <div title={`At ${position}`}>
            <dt>Behind</dt>
            <dd>
              <span data-number="lag">{count(lag)}</span>{" "}
              <Sparkline values={lags} length={historyLength} top={50} label="Events behind" />
            </dd>
          </div>
          <div>
            <dt>Per second</dt>
            <dd>
              {count(perSecond)} <Sparkline values={rates} length={historyLength} top={5} label="Events per second" />
            </dd>
          </div>
          <div>
            <dt>Latency p50 · p99</dt>
            <dd>
              {duration(p50Ms)} · {duration(p99Ms)}{" "}
              <Sparkline values={p99s} length={historyLength} top={5} label="Latency, 99th percentile" />
            </dd>
          </div>
        </dl>
      </div>
    </article>
  );
}

function engineOf({ durability }: Report): string {
  return durability === "memory" ? "in memory" : "kept on disk";
}
