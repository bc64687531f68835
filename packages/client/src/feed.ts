import type { EventFrame } from "@starcast/core/wire";
import type { ClientGap, ClientState } from "./client-state.ts";

/** Whom a feed tells, in order, each event once. */
export interface FeedListener {
  onEvent(event: EventFrame): void;
  onGap(gap: ClientGap): void;
  /** The place moved without an event. */
  onMoved(): void;
  onState(state: ClientState): void;
}

/** What brings events to a client: a connection of its own, or the one of another tab. */
export interface Feed {
  /** Everything up to here was told. Null: nothing is certain yet. */
  readonly place: string | null;
  /** MUST be called once. `place` null: begin where the options say. */
  start(place: string | null, listener: FeedListener): void;
  /** Nothing is told until `unpause`, which goes on at the same place. */
  pause(): void;
  unpause(): void;
  /** Idempotent; ends with the state `closed`, unless it was. */
  close(): void;
}
