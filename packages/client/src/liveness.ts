/** A gateway that was silent for so many heartbeats is gone, whatever the socket says. */
export const heartbeatsOfSilence = 2.5;

/** A gateway greets within this, or it is tried another way. */
export const greetingTimeoutMs = 10_000;

/** Who just woke up expects a sign of life since 1.2 heartbeats: what is older may be a connection that died asleep. */
const heartbeatsOfDoubt = 1.2;

/** What is known of a connection's signs of life. */
export interface Vitals {
  readonly now: number;
  /** When it was begun, or greeted, or heard last. */
  readonly lastHeardAt: number;
  /** Null: not greeted yet. */
  readonly heartbeatMs: number | null;
}

/** Milliseconds until it counts as gone; zero or less: it does. Pure. */
export function silenceLeftMs({ now, lastHeardAt, heartbeatMs }: Vitals): number {
  const limitMs = heartbeatMs === null ? greetingTimeoutMs : heartbeatMs * heartbeatsOfSilence;
  return lastHeardAt + limitMs - now;
}

/** Whether somebody who just woke up should rather begin anew. Pure. */
export function isDoubtful({ now, lastHeardAt, heartbeatMs }: Vitals): boolean {
  return heartbeatMs !== null && now - lastHeardAt > heartbeatMs * heartbeatsOfDoubt;
}
