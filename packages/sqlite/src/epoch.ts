import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Sidecar } from "./sidecar.ts";

/** What the file says of itself and of the life that ended, and what lies beside it. */
export interface EpochFacts {
  readonly epoch: string | null;
  readonly identity: string | null;
  readonly head: number;
  readonly isCleanlyClosed: boolean;
  /** Every acknowledgement of the life that ended was on disk. */
  readonly wasDurable: boolean;
  readonly bootId: string | null;
  readonly currentBootId: string;
  readonly sidecar: Sidecar | null;
}

/**
 * Whether an acknowledged tail may have been lost, so that numbering must start over: an unclean end and another boot
 * since (unless every acknowledgement was on disk), or a file that is not the one, or older than the one, known here. Pure.
 */
export function mayHaveLostTail(facts: EpochFacts): boolean {
  if (facts.epoch === null) return false;
  // An empty file too: it may be a copy of the time before the first event.
  if (facts.sidecar === null || facts.sidecar.identity !== facts.identity) return true;
  if (facts.sidecar.head > facts.head) return true;
  return !facts.isCleanlyClosed && !facts.wasDurable && facts.bootId !== facts.currentBootId;
}

/** The same until the machine starts anew. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // No such file outside Linux: the minute the machine started, which clock corrections may shift (then: a new epoch).
    return `started-${Math.round((Date.now() / 1_000 - uptime()) / 60)}`;
  }
}
