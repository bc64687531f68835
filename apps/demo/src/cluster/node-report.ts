/** What the demo of a cluster tells its page of one gateway. Types alone: the page reads the same words. */
export interface NodeReport {
  readonly name: string;
  /** Null while it is down. */
  readonly pid: number | null;
  readonly kills: number;
  /** Connections that the balancer has sent there and that are still open. */
  readonly clients: number;
}
