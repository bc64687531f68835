import type { Moment } from "@starcast/core";
import type { ConnectionReport, ConnectionsReport, DepartureReport, TransportKey } from "../status/report.ts";

/** Open connections that are listed; more are counted. */
export const maxListed = 50;

/** Departures that are shown. */
export const maxDepartures = 6;

/** Who is connected to the gateways, as the observer is told. */
export class ConnectionBoard {
  readonly #now: () => number;
  readonly #open = new Map<string, Omit<ConnectionReport, "receiver">>();
  #departures: readonly DepartureReport[] = [];
  #unlisted = 0;
  #totals = { connected: 0, resumed: 0, gapped: 0, stalled: 0 };

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** An observer; bound. */
  readonly observe = (moment: Moment): void => {
    if (moment.kind === "clientConnected") this.#opened(moment.clientId, moment.gateway, moment.isResumed);
    else if (moment.kind === "clientGapped") this.#gapped(moment.clientId);
    else if (moment.kind === "clientStalled") this.#totals.stalled += 1;
    else if (moment.kind === "clientClosed") this.#closed(moment.clientId, moment.gateway, moment.reason);
  };

  count(gateway: string): number {
    return [...this.#open.values()].filter((each) => each.gateway === gateway).length;
  }

  report(receivers: ReadonlyMap<string, TransportKey>): ConnectionsReport {
    const open = [...this.#open.values()].map((each) => ({ ...each, receiver: receivers.get(each.clientId) ?? null }));
    return { open, more: this.#unlisted, departures: this.#departures, totals: this.#totals };
  }

  #opened(clientId: string, gateway: string, isResumed: boolean): void {
    this.#totals.connected += 1;
    if (isResumed) this.#totals.resumed += 1;
    if (this.#open.size >= maxListed) this.#unlisted += 1;
    else this.#open.set(clientId, { clientId, gateway, sinceMs: this.#now(), isResumed, gaps: 0 });
  }

  #gapped(clientId: string): void {
    this.#totals.gapped += 1;
    const known = this.#open.get(clientId);
    if (known !== undefined) this.#open.set(clientId, { ...known, gaps: known.gaps + 1 });
  }

  #closed(clientId: string, gateway: string, reason: string): void {
    if (!this.#open.delete(clientId)) this.#unlisted -= 1;
    const departure = { clientId, gateway, reason, atMs: this.#now() };
    this.#departures = [departure, ...this.#departures].slice(0, maxDepartures);
  }
}
