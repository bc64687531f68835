import type { EventFrame } from "@starcast/core/wire";
import type { ClientGap, ClientState } from "./client-state.ts";

/** What a feed tells, once each: a gap comes before the event. With none of them, nothing but the place has moved. */
export interface Notice {
  readonly state?: ClientState;
  readonly gap?: ClientGap | null;
  readonly event?: EventFrame | null;
}

/** What brings events to a client: a connection of its own, or the one of another tab. */
export interface Feed {
  /** Everything up to here was told. Null: nothing is certain yet. */
  readonly place: string | null;
  /** MUST be called once. `place` null: begin where the options say. */
  start(place: string | null, tell: (notice: Notice) => void): void;
  /** Nothing is told until `unpause`, which goes on at the same place. */
  pause(): void;
  unpause(): void;
  /** The network is back, or somebody looks at the page again. */
  wake(): void;
  /** Idempotent; ends with the state `closed`, unless it was. */
  close(): void;
}
