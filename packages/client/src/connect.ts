import { ConnectionFeed } from "./connection-feed.ts";
import { EventClient } from "./event-client.ts";
import { resolveConnectOptions, type ConnectOptions } from "./options.ts";

/**
 * Follows the events of a gateway until `close()`: each once and in order, or a gap in their place. Never blocks, and
 * tells nothing before the caller's turn is over. Throws for options that cannot be used; everything later is a state.
 */
export function connect<Events = Record<string, unknown>>(options: ConnectOptions<Events>): EventClient<Events> {
  const resolved = resolveConnectOptions(options);
  return new EventClient(resolved, new ConnectionFeed(resolved), options.events ?? null);
}
