/** An event as it goes over the wire. */
export interface EventFrame {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly subject?: string | undefined;
  readonly data: unknown;
}

/** Why events are missing. */
export type WireGapReason = "trimmed" | "epoch" | "unknown" | "replay_limit";

/** What keeps a gateway from being up to date; absent while nothing does. Later versions may say other things. */
export type WireState = "store_unreachable";

/** What a gateway tells its client, by frame type. Positions are `epoch-offset`, as event ids are. */
export interface ClientFrames {
  /**
   * The first frame of every connection. `resumed`: it goes on exactly where it was asked to. If it was asked to and does
   * not, a gap follows, and only that is where to resume: a connection that breaks between the two must not hide it.
   */
  "client.connected": {
    readonly clientId: string;
    readonly position: string;
    readonly resumed: boolean;
    readonly heartbeatMs: number;
    readonly state?: WireState | undefined;
  };
  /** These events will never come: those after `after` (null if what was asked could not be read) up to `through`, inclusive. */
  "client.gap": { readonly after: string | null; readonly through: string; readonly reason: WireGapReason };
  /** Alive; everything up to `position` that the filter lets through has been sent. Comes at once when `state` changes. */
  "client.heartbeat": { readonly position: string; readonly state?: WireState | undefined };
  /** The filter from `position` on. Null: everything. */
  "client.subscribed": {
    readonly types: readonly string[] | null;
    readonly subjects: readonly string[] | null;
    readonly position: string;
  };
  /** An operation was not accepted. */
  "client.refused": { readonly op: string; readonly code: string };
  /** About to close. `reconnectInMs` null: not by yourself. */
  "client.closing": { readonly reason: string; readonly reconnectInMs: number | null };
}

export type ClientFrameType = keyof ClientFrames;

/** A frame of the gateway's own, event-shaped, so that a receiver needs one parser. */
export type ClientFrame = {
  readonly [Type in ClientFrameType]: {
    readonly type: Type;
    readonly timestamp: string;
    readonly data: ClientFrames[Type];
  };
}[ClientFrameType];

export type Frame = EventFrame | ClientFrame;

/** Begins the type of every frame that is not an event. */
export const clientPrefix = "client.";

/** Operations a client may send, on a WebSocket. */
export type ClientOperation =
  | {
      readonly op: "subscribe";
      /** Absent: everything that is granted. */
      readonly types?: readonly string[] | undefined;
      readonly subjects?: readonly string[] | undefined;
      /** Go there first, so that the past of a wider filter comes too. */
      readonly after?: string | undefined;
    }
  | { readonly op: "token"; readonly token: string };
