/** A position taken apart. Only offsets of one epoch can be compared. */
export interface Place {
  readonly epoch: string;
  readonly offset: number;
}

/** The place a position stands for; null for anything else. Pure. */
export function readPlace(text: unknown): Place | null {
  const match = typeof text === "string" ? /^([A-Za-z0-9]{1,40})-(0|[1-9]\d{0,15})$/.exec(text) : null;
  return match && { epoch: match[1] ?? "", offset: Number(match[2]) };
}

/** Whether a position lies behind what was told up to a place, in its epoch; anything does where nothing was. Pure. */
export function isAhead(place: string | null, position: string): boolean {
  const [at, to] = [readPlace(place), readPlace(position)];
  return to !== null && (at === null || (at.epoch === to.epoch && to.offset > at.offset));
}
