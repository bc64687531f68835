import { isStarcastError, StarcastError, type LogEvent } from "@starcast/core";
import { isSurelyWithin, packetBytesAtMost, type Message } from "./message.ts";
import type { Mirror } from "./mirror.ts";
import type { Packets } from "./packet.ts";

/** What of an event is to be sent: the publication of the event itself, its thing's state, and why something is not. */
export interface Rendition {
  /** Null when it cannot be said in MQTT. */
  readonly event: Message | null;
  /** Null when the event changes no state, or it cannot be said. */
  readonly state: Message | null;
  /** The event will never be published. */
  readonly loss: StarcastError | null;
  /** The mirror misses this change. */
  readonly stateLoss: StarcastError | null;
}

/** Everything an event means in MQTT, whatever its data is: never throws. */
export function renderEvent(
  event: LogEvent,
  packets: Packets,
  mirror: Mirror | null,
  maximumPacketBytes: number,
): Rendition {
  const [message, loss] = attempt(event, maximumPacketBytes, () => packets.render(event));
  const [state, stateLoss] =
    mirror === null ? [null, null] : attempt(event, maximumPacketBytes, () => mirror.render(event));
  return { event: message, state, loss, stateLoss };
}

function attempt(
  event: LogEvent,
  maximumPacketBytes: number,
  render: () => Message | null,
): readonly [Message | null, StarcastError | null] {
  try {
    const message = render();
    if (message !== null && !isSurelyWithin(maximumPacketBytes, message)) checkSize(event, message, maximumPacketBytes);
    return [message, null];
  } catch (cause) {
    if (isStarcastError(cause)) return [null, cause];
    // The vocabulary's `state` is the user's code.
    return [
      null,
      new StarcastError(
        "invalid_data",
        `Expected the vocabulary to give the state after \`${event.type}\`, got an error`,
        { cause },
      ),
    ];
  }
}

function checkSize(event: LogEvent, message: Message, maximumPacketBytes: number): void {
  const bytes = packetBytesAtMost(message);
  if (bytes <= maximumPacketBytes) return;
  throw new StarcastError(
    "event_too_large",
    `Expected a packet of at most ${maximumPacketBytes} bytes, which is all the MQTT broker takes, got ${bytes} for \`${event.type}\``,
  );
}
