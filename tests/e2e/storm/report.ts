/** What a process of clients is told to do. */
export interface Orders {
  readonly url: string;
  readonly clients: number;
  readonly seed: number;
  /** How many of them lose their connection. */
  readonly lossesPerSecond: number;
}

export type Asked =
  | { readonly kind: "shake" }
  | { readonly kind: "report" }
  | { readonly kind: "settle"; readonly offset: number; readonly withinMs: number };

export type Said = { readonly kind: "connected" } | ({ readonly kind: "report" } & Report);

/** What became of clients. */
export interface Report {
  readonly clients: number;
  /** Who did not come to the end of the log in time. */
  behind: number;
  connections: number;
  events: number;
  gaps: number;
  repeated: number;
  lost: number;
  wrongGaps: number;
  longestWayMs: number;
  /** Of a few who were not told everything. */
  faults: readonly string[];
}

export const emptyReport: Report = {
  clients: 0,
  behind: 0,
  connections: 0,
  events: 0,
  gaps: 0,
  repeated: 0,
  lost: 0,
  wrongGaps: 0,
  longestWayMs: 0,
  faults: [],
};

export function addReports(one: Report, other: Report): Report {
  return {
    clients: one.clients + other.clients,
    behind: one.behind + other.behind,
    connections: one.connections + other.connections,
    events: one.events + other.events,
    gaps: one.gaps + other.gaps,
    repeated: one.repeated + other.repeated,
    lost: one.lost + other.lost,
    wrongGaps: one.wrongGaps + other.wrongGaps,
    longestWayMs: Math.max(one.longestWayMs, other.longestWayMs),
    faults: [...one.faults, ...other.faults],
  };
}

/** One line to read. */
export function tellReport(report: Report): string {
  const { clients, connections, events, gaps, behind, repeated, lost, wrongGaps, longestWayMs } = report;
  const told = [
    `${count(clients)} clients`,
    `${count(connections)} connections`,
    `${count(events)} deliveries`,
    `${count(gaps)} exact gaps`,
    `${count(repeated)} repeated`,
    `${count(lost)} lost`,
    `${count(wrongGaps)} wrong gaps`,
    `${count(behind)} behind`,
    `longest way of an event ${count(Math.round(longestWayMs))} ms`,
  ];
  return told.join(", ");
}

const count = (value: number): string => value.toLocaleString("en");
