/**
 * True for a nats-server that lacks what Starcast asks of it. Before 2.9 it ignores what it does not know of a consumer
 * or a bucket, instead of refusing it.
 */
export function isTooOld(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) < 2 || (Number(major) === 2 && Number(minor) < 9);
}
