export interface Timed<T> {
  readonly answer: T;
  /**
   * How long after the deadline it ended, by the beats of a timer that ran beside it: while a busy machine lets neither
   * run, none is counted. Negative when it ended before.
   */
  readonly lateMs: number;
}

const beatMs = 5;

/** Awaits what has just begun and should end by a deadline. */
export async function timed<T>(promise: Promise<T>, deadlineMs: number): Promise<Timed<T>> {
  let lateMs = -beatMs;
  let beat: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => {
    lateMs = 0;
    beat = setInterval(() => (lateMs += beatMs), beatMs);
  }, deadlineMs);
  const answer = await promise;
  clearTimeout(deadline);
  clearInterval(beat);
  return { answer, lateMs };
}
