import type { Moment } from "@starcast/core";
import type { ClientLag } from "@starcast/core/gateway";
import type { ConnectionReport, ConnectionsReport, DepartureReport, TransportKey } from "../status/report.ts";

/** Open connections that are known one by one; more are counted. */
export const maxKnown = 1_000;

/** Of those, how many are listed: the slowest, then the oldest. */
export const maxListed = 10;

/** Departures that are shown. */
export const maxDepartures = 6;

/** Who is connected to the gateways, as the observer is told. */
export class ConnectionBoard {
  readonly #now: () => number;
  readonly #open = new Map<string, Omit<ConnectionReport, "receiver" | "lagEvents" | "unsentBytes">>();
  #departures: readonly DepartureReport[] = [];
  #unknown = 0;
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

  /** `slowest`: as the gateways see them, in any order. */
  report(receivers: ReadonlyMap<string, TransportKey>, slowest: readonly ClientLag[]): ConnectionsReport {
    const lags = new Map(slowest.map((lag) => [lag.clientId, lag]));
    const known = [...this.#open.values()].map((each) => {
      const { lagEvents = 0, unsentBytes = 0 } = lags.get(each.clientId) ?? {};
      return { ...each, receiver: receivers.get(each.clientId) ?? null, lagEvents, unsentBytes };
    });
    known.sort((a, b) => b.lagEvents - a.lagEvents || b.unsentBytes - a.unsentBytes);
    const open = known.slice(0, maxListed);
    const more = known.length + this.#unknown - open.length;
    return { open, more, departures: this.#departures, totals: this.#totals };
  }

  #opened(clientId: string, gateway: string, isResumed: boolean): void {
    this.#totals.connected += 1;
    if (isResumed) this.#totals.resumed += 1;
    if (this.#open.size >= maxKnown) this.#unknown += 1;
    else this.#open.set(clientId, { clientId, gateway, sinceMs: this.#now(), isResumed, gaps: 0 });
  }

  #gapped(clientId: string): void {
    this.#totals.gapped += 1;
    const known = this.#open.get(clientId);
    if (known !== undefined) this.#open.set(clientId, { ...known, gaps: known.gaps + 1 });
  }

  #closed(clientId: string, gateway: string, reason: string): void {
    if (!this.#open.delete(clientId)) this.#unknown -= 1;
    const departure = { clientId, gateway, reason, atMs: this.#now() };
    this.#departures = [departure, ...this.#departures].slice(0, maxDepartures);
  }
}
