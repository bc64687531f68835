/** A position taken apart. Only offsets of one epoch can be compared. */
export interface Place {
  readonly epoch: string;
  readonly offset: number;
}

/** The place a position stands for; null for anything else. */
export function readPlace(text: unknown): Place | null {
  const match = typeof text === "string" ? /^([A-Za-z0-9]{1,40})-(0|[1-9]\d{0,15})$/.exec(text) : null;
  return match === null ? null : { epoch: match[1] ?? "", offset: Number(match[2]) };
}
