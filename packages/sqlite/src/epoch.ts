import { makeEpoch, type Random } from "@starcast/core";
import { readFileSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";

/** What the file says of itself, and what lies beside it. */
export interface EpochFacts {
  readonly epoch: string | null;
  readonly identity: string | null;
  readonly head: number;
  readonly isCleanlyClosed: boolean;
  readonly bootId: string | null;
  readonly currentBootId: string;
  readonly isDurable: boolean;
  readonly sidecar: Sidecar | null;
}

/** Kept beside the file: a copy of the file that was put back is older than this. */
export interface Sidecar {
  readonly identity: string;
  readonly head: number;
}

/**
 * Whether an acknowledged tail may have been lost, so that numbering must start over: an unclean end and another boot
 * since (unless every acknowledgement was on disk), or a file that is not the one, or older than the one, known here. Pure.
 */
export function mayHaveLostTail(facts: EpochFacts): boolean {
  if (facts.epoch === null) return false;
  if (facts.sidecar === null) return facts.head > 0;
  if (facts.sidecar.identity !== facts.identity || facts.sidecar.head > facts.head) return true;
  return !facts.isCleanlyClosed && !facts.isDurable && facts.bootId !== facts.currentBootId;
}

export function newEpoch(random: Random): string {
  return makeEpoch(random);
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

export function readSidecar(path: string): Sidecar | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof parsed !== "object" || parsed === null || !("identity" in parsed) || !("head" in parsed)) return null;
    const { identity, head } = parsed;
    return typeof identity === "string" && typeof head === "number" ? { identity, head } : null;
  } catch {
    // Absent or torn: nothing is known, which `mayHaveLostTail` judges.
    return null;
  }
}

export function writeSidecar(path: string, sidecar: Sidecar): void {
  writeFileSync(path, JSON.stringify(sidecar));
}
