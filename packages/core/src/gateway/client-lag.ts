import { formatPosition, type Position } from "../log/position.ts";

/** How far behind one client of a gateway is. */
export interface ClientLag {
  readonly clientId: string;
  /** Everything up to here was written for it, or left out by its filter. */
  readonly position: string;
  /** Events from there to the head of the log, whether its filter lets them through or not. */
  readonly lagEvents: number;
  /** Bytes that were written for it and have not left for the network. */
  readonly unsentBytes: number;
}

/** A connection as far as its place is concerned. */
export interface Placed {
  readonly clientId: string;
  /** Null before it begins, and once it ends. */
  readonly position: Position | null;
  readonly unsentBytes: number;
}

/** At most so many that are behind the head or have unsent bytes, the furthest behind first. Pure. */
export function slowestOf(connections: Iterable<Placed>, head: Position, count: number): readonly ClientLag[] {
  const slow: ClientLag[] = [];
  for (const { clientId, position, unsentBytes } of connections) {
    if (position === null) continue;
    const lagEvents = Math.max(0, head.offset - position.offset);
    if (lagEvents > 0 || unsentBytes > 0)
      slow.push({ clientId, position: formatPosition(position), lagEvents, unsentBytes });
  }
  return slow.sort((a, b) => b.lagEvents - a.lagEvents || b.unsentBytes - a.unsentBytes).slice(0, count);
}
