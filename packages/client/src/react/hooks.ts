import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import type { ClientState } from "../client-state.ts";
import type { EventClient } from "../event-client.ts";
import type { Replica } from "../replica/replica.ts";
import type { EventsMatching, TypePattern } from "../typed-events.ts";

/** Calls the listener of the latest render with every event that the pattern lets through, as long as the component is there. */
export function useEvents<Events, Pattern extends TypePattern<Events>>(
  client: EventClient<Events>,
  pattern: Pattern,
  listener: (event: EventsMatching<Events, Pattern>) => void,
): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on(pattern, (event) => latest.current(event)), [client, pattern]);
}

/** The entries of a replica, rendered anew when they change; the same Map until then. */
export function useReplica<Events, Value>(replica: Replica<Events, Value>): ReadonlyMap<string, Value> {
  return useSyncExternalStore(replica.subscribe, replica.getSnapshot, replica.getSnapshot);
}

/** How far the client is: for a badge that says `live`. */
export function useClientState<Events>(client: EventClient<Events>): ClientState {
  const subscribe = useCallback((changed: () => void) => client.on("state", changed), [client]);
  const read = (): ClientState => client.state;
  return useSyncExternalStore(subscribe, read, read);
}
