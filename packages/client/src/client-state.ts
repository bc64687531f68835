/** The transports a client speaks. */
export type Transport = "websocket" | "sse";

/** Why a connection is over, or could not be made. */
export type WaitReason =
  /** Nobody answered, or not as a gateway does. */
  | "unreachable"
  | "lost"
  /** Nothing was heard for 2.5 heartbeats. */
  | "silent"
  /** The server is about to stop, or the connection was old: it said when to come back. */
  | "restart"
  | "try_later"
  /** The server found this client too slow. */
  | "too_slow"
  /** `for await` has not yet taken what came: the stream goes on where it was once it has. */
  | "hand_over_full"
  /** What came could not be read. */
  | "protocol_error"
  | "unauthorized"
  | "token_failed"
  | "refused";

export type ClosedReason =
  /** By `close()` or the signal. */
  | "closed_here"
  /** The server has nothing more for this client. */
  | "done"
  | "unauthorized"
  | "forbidden"
  /** The server does not take what was asked: `message` says why. */
  | "refused";

/** Where a client is on its way; each state says why it was entered. */
export type ClientState =
  | {
      readonly kind: "connecting";
      readonly reason: "started" | "woken" | WaitReason;
      readonly transport: Transport;
    }
  /** What happened meanwhile is coming. */
  | { readonly kind: "catching_up"; readonly reason: "resumed" | "replaying"; readonly transport: Transport }
  /** `store_unreachable`: as far as the gateway knows, which cannot reach its store for the moment. */
  | {
      readonly kind: "live";
      readonly reason: "at_head" | "caught_up" | "store_unreachable";
      readonly transport: Transport;
    }
  /** `retryInMs` null: until what `reason` names is over. */
  | { readonly kind: "waiting"; readonly reason: WaitReason; readonly retryInMs: number | null }
  | { readonly kind: "closed"; readonly reason: ClosedReason; readonly message: string | null };

/** Events that will never come: those after `after` (null: unknown where) up to `through`, inclusive. */
export interface ClientGap {
  readonly after: string | null;
  readonly through: string;
  readonly reason: string;
}
