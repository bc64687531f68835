import { connectionFeed } from "./connection-feed.ts";
import { eventClient, type EventClient } from "./event-client.ts";
import { resolveConnectOptions, type ConnectOptions } from "./options.ts";

/**
 * Follows the events of a gateway until `close()`: each once and in order, or a gap in their place. Never blocks, and
 * tells nothing before the caller's turn is over. Throws for options that cannot be used; everything later is a state.
 */
export function connect<Events = Record<string, unknown>>(options: ConnectOptions<Events>): EventClient<Events> {
  const resolved = resolveConnectOptions(options);
  return eventClient(resolved, connectionFeed(resolved), options.events ?? null);
}
