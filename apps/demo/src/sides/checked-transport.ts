import { setTimeout as wait } from "node:timers/promises";
import type { Receiver } from "../receivers/receiver.ts";

/** A transport under check: its receiver, and how to take it away and bring it back. */
export interface CheckedTransport {
  readonly receiver: Receiver;
  /** Whether events may arrive out of order: each webhook is delivered by itself. */
  readonly isOrdered: boolean;
  /** Ways it goes away in the middle, in the order they happen; each resolves when it is back. */
  readonly outages: readonly Outage[];
}

export interface Outage {
  /** For the table: `cut`, `stalled`, `MQTT broker down`. */
  readonly what: string;
  /** Takes the transport away. */
  readonly begin: () => unknown;
  readonly end: () => unknown;
}

/** How long a transport stays away while events are published. */
const awayMs = 250;

/** An outage that begins and ends while events are on their way. */
export async function goThrough(outage: Outage): Promise<void> {
  await outage.begin();
  await wait(awayMs);
  await outage.end();
}
