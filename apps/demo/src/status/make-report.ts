import { formatPosition } from "@starcast/core";
import type { AnyBroker } from "@starcast/core";
import type { ClientLag } from "@starcast/core/gateway";
import type { LiveCatalog } from "../catalog/live-catalog.ts";
import type { LiveSource } from "../catalog/live-source.ts";
import type { Receiver } from "../receivers/receiver.ts";
import type { LiveSide } from "../sides/live-side.ts";
import type { MqttSide } from "../sides/mqtt-side.ts";
import type { WebhookSide } from "../sides/webhook-side.ts";
import type { AttemptBoard } from "../watch/attempt-board.ts";
import type { ConnectionBoard } from "../watch/connection-board.ts";
import { Rate } from "../watch/rate.ts";
import { transportKeys } from "./report.ts";
import type { EndpointReport, ReceiverReport, ReceiverState, Report, TransportKey } from "./report.ts";
import { reportEndpoint } from "./webhooks-report.ts";
import type { ReportedEndpoint } from "./webhooks-report.ts";

/** Everything a report is made of. */
export interface ReportSources {
  readonly broker: AnyBroker;
  readonly catalog: LiveCatalog;
  readonly source: LiveSource;
  readonly gateways: readonly { slowest(): readonly ClientLag[] }[];
  readonly live: { readonly websocket: LiveSide; readonly sse: LiveSide };
  readonly mqtt: MqttSide;
  readonly webhooks: WebhookSide;
  readonly endpoints: readonly ReportedEndpoint[];
  readonly connections: ConnectionBoard;
  readonly attempts: AttemptBoard;
  readonly canRestart: boolean;
}

/** Deliveries are looked up in the store, which has better things to do. */
const lookEveryMs = 1_000;

/** So many events behind are still the way things go. */
const behindFrom = 50;

/** Makes the report of now; the rates in it are since the last few calls. */
export function reportMaker(from: ReportSources): () => Promise<Report> {
  const rates = new Map(["log", ...transportKeys].map((key) => [key, new Rate()]));
  const rate = (key: string, count: number): number => rates.get(key)?.look(count, Date.now()) ?? 0;
  const { broker, live, mqtt, webhooks, connections } = from;
  const receivers = { websocket: live.websocket, sse: live.sse, mqtt, webhooks };

  let endpoints: readonly EndpointReport[] = [];
  let lookedAt = 0;

  return async () => {
    if (Date.now() - lookedAt >= lookEveryMs) {
      endpoints = await Promise.all(from.endpoints.map(reportEndpoint));
      lookedAt = Date.now();
    }
    const { position } = broker;
    const subscribers = {
      websocket: connections.count("websocket"),
      sse: connections.count("sse"),
      mqtt: mqtt.isConnected ? 1 : 0,
      webhooks: endpoints.length,
    };
    const report = (key: TransportKey): ReceiverReport => {
      const told = describe(receivers[key].receiver, position.offset, subscribers[key]);
      const state = stateOf(key, from);
      const isBehind = state === "live" && told.lag >= behindFrom;
      return { ...told, state: isBehind ? "behind" : state, perSecond: rate(key, told.received) };
    };
    return {
      position: formatPosition(position),
      head: position.offset,
      perSecond: rate("log", position.offset),
      models: from.catalog.size,
      durability: broker.store.log.durability,
      abilities: { canFreezeMqtt: mqtt.isEmbedded, canRestart: from.canRestart },
      burstLeft: from.source.burstLeft,
      receivers: {
        websocket: report("websocket"),
        sse: report("sse"),
        mqtt: report("mqtt"),
        webhooks: report("webhooks"),
      },
      connections: connections.report(
        receiversOf(live),
        from.gateways.flatMap((gateway) => gateway.slowest()),
      ),
      mqtt: mqtt.report(),
      webhooks: { endpoints, ...from.attempts.report() },
    };
  };
}

function describe(receiver: Receiver, head: number, subscribers: number): Omit<ReceiverReport, "state" | "perSecond"> {
  const { through, received, duplicates, told, missing } = receiver.tally;
  return {
    subscribers,
    position: receiver.position,
    offset: through,
    lag: Math.max(0, head - through),
    ...receiver.latencies.percentiles(),
    received,
    repeated: duplicates,
    lost: missing,
    told,
  };
}

function stateOf(key: TransportKey, { live, mqtt, webhooks }: ReportSources): ReceiverState {
  switch (key) {
    case "websocket":
    case "sse":
      return live[key].client.state;
    case "mqtt":
      if (mqtt.brokerState !== "up") return mqtt.brokerState === "frozen" ? "frozen" : "stopped";
      return mqtt.isConnected ? "live" : "reconnecting";
    case "webhooks":
      return webhooks.isUp ? "live" : "stopped";
  }
}

function receiversOf(live: ReportSources["live"]): ReadonlyMap<string, TransportKey> {
  const { websocket, sse } = live;
  const entries: readonly [string | null, TransportKey][] = [
    [websocket.client.clientId, "websocket"],
    [sse.client.clientId, "sse"],
  ];
  return new Map(entries.flatMap(([id, key]) => (id === null ? [] : [[id, key] as const])));
}
