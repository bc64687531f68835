/** What the demo tells its open pages about itself, a few times a second. Types alone: the page reads the same words. */
export interface Report {
  readonly position: string;
  readonly head: number;
  readonly perSecond: number;
  readonly models: number;
  /** Of the log: what survives. */
  readonly durability: string;
  readonly abilities: Abilities;
  /** Events of a burst that are still to come; null when there is none. */
  readonly burstLeft: number | null;
  readonly receivers: Readonly<Record<TransportKey, ReceiverReport>>;
  readonly connections: ConnectionsReport;
  readonly mqtt: MqttReport;
  readonly webhooks: WebhooksReport;
}

export interface Abilities {
  /** A MQTT broker of somebody else is not the demo's to freeze. */
  readonly canFreezeMqtt: boolean;
  readonly canRestart: boolean;
}

export const transportKeys = ["websocket", "sse", "mqtt", "webhooks"] as const;
export type TransportKey = (typeof transportKeys)[number];

/** `cut` and `stopped`: nobody is there; `stalled` and `frozen`: there, and not moving. */
export type ReceiverState = "live" | "behind" | "cut" | "stalled" | "stopped" | "frozen" | "reconnecting";

export interface ReceiverReport {
  readonly state: ReceiverState;
  /** Who receives over this transport in all, as far as the demo can count. */
  readonly subscribers: number;
  readonly position: string;
  readonly offset: number;
  readonly lag: number;
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly received: number;
  readonly repeated: number;
  /** Neither arrived nor told as missing, although a later event came. */
  readonly lost: number;
  /** Told, in band, never to come. */
  readonly told: number;
}

export interface ConnectionReport {
  readonly clientId: string;
  readonly gateway: string;
  readonly sinceMs: number;
  readonly isResumed: boolean;
  readonly gaps: number;
  /** Events between its place and the head of the log, as its gateway sees it. */
  readonly lagEvents: number;
  /** Bytes the gateway has written that have not left. */
  readonly unsentBytes: number;
  /** Which receiver of the demo it is; null: a page, or a program from outside. */
  readonly receiver: TransportKey | null;
}

export interface DepartureReport {
  readonly clientId: string;
  readonly gateway: string;
  readonly atMs: number;
  readonly reason: string;
}

export interface ConnectionsReport {
  /** The slowest first. */
  readonly open: readonly ConnectionReport[];
  /** Open ones beyond those that are listed. */
  readonly more: number;
  readonly departures: readonly DepartureReport[];
  readonly totals: {
    readonly connected: number;
    readonly resumed: number;
    readonly gapped: number;
    readonly stalled: number;
  };
}

export interface MqttReport {
  readonly url: string;
  readonly isEmbedded: boolean;
  readonly broker: "up" | "frozen" | "down";
  readonly isPublisherConnected: boolean;
  /** Acknowledged by the MQTT broker up to here; null until the place is known. */
  readonly acknowledged: string | null;
  readonly topics: readonly { readonly topic: string; readonly count: number }[];
  readonly latest: readonly { readonly topic: string; readonly id: string }[];
  readonly retained: number;
}

export interface EndpointReport {
  readonly id: string;
  readonly about: string;
  readonly url: string;
  readonly state: "active" | "paused" | "disabled";
  readonly isUp: boolean;
  readonly ordering: string;
  readonly maxAttempts: number;
  readonly keyLabels: readonly string[];
  readonly pending: number;
  readonly attempting: number;
  readonly dead: number;
  /** Tried and not yet taken, the next one first. */
  readonly waiting: readonly WaitingReport[];
  readonly deadLetters: readonly DeadLetterReport[];
}

export interface WaitingReport {
  readonly eventId: string;
  readonly subject: string;
  readonly attempts: number;
  readonly category: string;
  readonly dueAt: number | null;
}

export interface DeadLetterReport {
  readonly eventId: string;
  readonly subject: string;
  readonly attempts: number;
  readonly reason: string;
}

export interface WebhooksReport {
  readonly endpoints: readonly EndpointReport[];
  readonly succeeded: number;
  readonly failed: number;
  readonly attempts: readonly AttemptReport[];
}

export interface AttemptReport {
  readonly endpointId: string;
  readonly eventId: string;
  readonly attempt: number;
  readonly category: string;
  readonly tookMs: number;
}
