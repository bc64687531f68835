import type { AnyBroker } from "../broker/any-broker.ts";
import type { Gap } from "../subscriber/subscriber.ts";

/** What a gateway's clients have done since it was constructed. */
export interface GatewayStats {
  /** Open now. */
  readonly connections: number;
  /** Let in and greeted. */
  readonly connected: number;
  /** Of those: who went on exactly where it had been. */
  readonly resumed: number;
  /** Gaps told. */
  readonly gapped: number;
  /** Closed for not reading. */
  readonly stalled: number;
  /** Not let in, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that ended, by reason. */
  readonly closed: Readonly<Record<string, number>>;
}

/** Counts what a gateway's clients do, and tells the observers. Reasons and codes are closed sets: nothing a client sends names a counter. */
export class Tally {
  readonly #broker: AnyBroker;
  readonly #gateway: string;
  #connected = 0;
  #resumed = 0;
  #gapped = 0;
  #stalled = 0;
  readonly #refused = new Map<string, number>();
  readonly #closed = new Map<string, number>();

  /** `gateway` names it to the observer. */
  constructor(broker: AnyBroker, gateway: string) {
    this.#broker = broker;
    this.#gateway = gateway;
  }

  opened(clientId: string, isResumed: boolean): void {
    this.#connected += 1;
    if (isResumed) this.#resumed += 1;
    this.#broker.observe({ kind: "clientConnected", level: "info", gateway: this.#gateway, clientId, isResumed });
  }

  gapTold(clientId: string, gap: Gap): void {
    this.#gapped += 1;
    this.#broker.observe({ kind: "clientGapped", level: "info", gateway: this.#gateway, clientId, gap });
  }

  stalled(clientId: string, stalledMs: number): void {
    this.#stalled += 1;
    this.#broker.observe({ kind: "clientStalled", level: "warn", gateway: this.#gateway, clientId, stalledMs });
  }

  /** `code` is that of the close frame that ended it, if one did. */
  closed(clientId: string, reason: string, code: number | null): void {
    count(this.#closed, reason);
    this.#broker.observe({ kind: "clientClosed", level: "info", gateway: this.#gateway, clientId, reason, code });
  }

  refused({
    status,
    code,
    message,
  }: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
  }): void {
    count(this.#refused, code);
    // These are settings to correct; the others are the day's work of a public server.
    const isSetting = code === "origin_refused" || code === "host_refused" || code === "authorize_timed_out";
    const level = isSetting ? "warn" : "info";
    this.#broker.observe({ kind: "clientRefused", level, gateway: this.#gateway, status, code, message });
  }

  stats(connections: number): GatewayStats {
    return {
      connections,
      connected: this.#connected,
      resumed: this.#resumed,
      gapped: this.#gapped,
      stalled: this.#stalled,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(this.#closed),
    };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
