import { invalidOption } from "../client-error.ts";
import { connectionFeed } from "../connection-feed.ts";
import { eventClient, type EventClient } from "../event-client.ts";
import { resolveConnectOptions, type ConnectOptions } from "../options.ts";
import { positionKey } from "../request-url.ts";
import type { LockManagerLike } from "./leadership.ts";
import { TabsFeed, type BroadcastChannelLike } from "./tabs-feed.ts";

export interface ConnectTabsOptions<Events = Record<string, unknown>> extends ConnectOptions<Events> {
  /** Tells apart clients that may see different events: who is logged in, say. @default "" */
  readonly group?: string | undefined;
}

/**
 * As `connect`, over one connection for all tabs of an origin that ask for the same: same URL, filter and group. Each tab
 * gets each event once, or a gap, whichever of them has the connection. Where a runtime has no Web Locks or
 * BroadcastChannel, each client has its own.
 */
export function connectTabs<Events = Record<string, unknown>>({
  group = "",
  ...options
}: ConnectTabsOptions<Events>): EventClient<Events> {
  if (typeof group !== "string") throw invalidOption("group", "a string", group);
  const resolved = resolveConnectOptions<Events>(options);
  const { navigator, BroadcastChannel: Channel } = globalThis as unknown as Browser;
  const feed =
    navigator?.locks === undefined || Channel === undefined
      ? connectionFeed(resolved)
      : new TabsFeed(resolved, `${positionKey(resolved)} ${group}`, {
          locks: navigator.locks,
          channel: (name) => new Channel(name),
        });
  return eventClient(resolved, feed, options.events ?? null);
}

interface Browser {
  readonly navigator?: { readonly locks?: LockManagerLike };
  readonly BroadcastChannel?: new (name: string) => BroadcastChannelLike;
}
