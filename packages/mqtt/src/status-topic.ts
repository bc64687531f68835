import { formatPosition, type Gap, type Position } from "@starcast/core";
import type { Message } from "./message.ts";

/** How near the retained mirror is to the truth: exactly it, following it since a start without a snapshot, or behind a gap. */
export type MirrorState = "exact" | "following" | "stale";

/** Events that will never be published, for a reason of the log or of MQTT. */
export type Loss = Omit<Gap, "reason"> & { readonly reason: string };

/** What the retained status says. */
export interface Status {
  /** `closed`: left on purpose; `lost`: said by the will, when the connection broke. */
  readonly state: "online" | "closed" | "lost";
  /** Everything up to here is published and acknowledged; null while the place is not known. */
  readonly position: Position | null;
  /** Null without a mirror. */
  readonly mirror: MirrorState | null;
  /** Events not published since the process started. */
  readonly eventsDropped: number;
  readonly lastLoss: Loss | null;
}

/** Speaks on the status topic, in frames shaped like events: `client.status` retained, `client.gap` once per loss. */
export class StatusTopic {
  readonly topic: string;
  readonly #clock: { now(): number };

  constructor(topic: string, clock: { now(): number }) {
    this.topic = topic;
    this.#clock = clock;
  }

  /** The newest status, kept by the MQTT broker; the will is one, too. */
  status({ state, position, mirror, eventsDropped, lastLoss }: Status): Message {
    const text = position === null ? null : formatPosition(position);
    return this.#message(
      "client.status",
      { state, position: text, mirror, eventsDropped, lastLoss: lastLoss === null ? null : lossData(lastLoss) },
      true,
    );
  }

  /** Tells whoever is there now. Its acknowledgement is what lets the position move past the loss. */
  gap(loss: Loss): Message {
    return this.#message("client.gap", lossData(loss), false);
  }

  #message(type: string, data: unknown, retain: boolean): Message {
    const timestamp = new Date(this.#clock.now()).toISOString();
    return { topic: this.topic, payload: JSON.stringify({ type, timestamp, data }), qos: 1, retain };
  }
}

function lossData({ after, through, reason }: Loss): {
  readonly after: string | null;
  readonly through: string;
  readonly reason: string;
} {
  return { after: after === null ? null : formatPosition(after), through: formatPosition(through), reason };
}
