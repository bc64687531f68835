import { isStarcastError, StarcastError, type LogEvent } from "@starcast/core";
import { isSurelyWithin, packetBytesAtMost, packetTooLarge, type Message } from "./message.ts";

/** Makes of an event what is to be published: null for nothing. May throw. */
interface Renderer<Rendered extends Message | null> {
  render(event: LogEvent): Rendered;
}

/** What is to be published of an event, or why that can never be: whatever its data is, this does not throw. */
export function rendition<Rendered extends Message | null>(
  event: LogEvent,
  renderer: Renderer<Rendered>,
  maximumPacketBytes: number,
): Rendered | StarcastError {
  try {
    const message = renderer.render(event);
    if (message === null || isSurelyWithin(maximumPacketBytes, message)) return message;
    const bytes = packetBytesAtMost(message);
    return bytes <= maximumPacketBytes ? message : packetTooLarge(event.type, bytes, maximumPacketBytes);
  } catch (cause) {
    if (isStarcastError(cause)) return cause;
    // The vocabulary's `state` is the user's code.
    const message = `Expected the vocabulary to give the state after \`${event.type}\`, got an error`;
    return new StarcastError("invalid_data", message, { cause });
  }
}
