import type { VNode } from "preact";
import { report } from "../feed/report-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { Pill } from "../pieces/pill.tsx";
import { count } from "../words/format.ts";
import type { Tone } from "../words/transports.ts";

const brokerStates = {
  up: { word: "MQTT broker up", tone: "good" },
  frozen: { word: "MQTT broker frozen", tone: "bad" },
  down: { word: "MQTT broker down", tone: "bad" },
} as const satisfies Record<string, { readonly word: string; readonly tone: Tone }>;

/** What devices see: topics per kind of event, and a retained copy of the catalog. */
export function Mqtt(): VNode {
  const now = report.value;
  return (
    <Panel id="mqtt" title="MQTT" about="Topics made of type and subject, and a retained copy of every model.">
      {now !== null && (
        <>
          <p class="state-line">
            <Pill tone={brokerStates[now.mqtt.broker].tone}>{brokerStates[now.mqtt.broker].word}</Pill>
            <Pill tone={now.mqtt.isPublisherConnected ? "good" : "busy"}>
              {now.mqtt.isPublisherConnected ? "Publisher connected" : "Publisher waiting"}
            </Pill>
          </p>
          <dl class="facts">
            <div>
              <dt>Retained mirror</dt>
              <dd data-number="retained">
                {count(now.mqtt.retained)} <small class="muted">of {count(now.models)} models</small>
              </dd>
            </div>
          </dl>
          <meter
            min={0}
            max={Math.max(1, now.models)}
            value={Math.min(now.mqtt.retained, now.models)}
            aria-label="Models that are retained"
          />
          <table class="plain">
            <caption class="muted">Topics seen by the device</caption>
            <tbody>
              {now.mqtt.topics.slice(0, 6).map(({ topic, count: seen }) => (
                <tr key={topic}>
                  <th scope="row">
                    <code>{topic}/#</code>
                  </th>
                  <td>{count(seen)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="keys muted">
            <code>mosquitto_sub {addressOf(now.mqtt.url)} -t "catalog/events/#" -v</code>
          </p>
        </>
      )}
    </Panel>
  );
}

function addressOf(url: string): string {
  const { hostname, port } = new URL(url.replace(/^\w+:/, "http:"));
  return `-h ${hostname} -p ${port === "" ? "1883" : port}`;
}
