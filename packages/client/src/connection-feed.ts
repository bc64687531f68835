import type { ClientFrame } from "@starcast/core/wire";
import type { ClientState, Transport, WaitReason } from "./client-state.ts";
import { Connection, type ConnectionOwner, type KnownFrame } from "./connection.ts";
import type { Feed, FeedListener } from "./feed.ts";
import {
  firstTransport,
  nextStep,
  noHistory,
  type Attempt,
  type History,
  type SourceEnd,
  type Wishes,
} from "./next-step.ts";
import type { ResolvedConnectOptions, TokenReason } from "./options.ts";
import type { Timer } from "./surroundings.ts";
import { takeFrame } from "./take-frame.ts";
import { listenForWakeUps } from "./wake-ups.ts";

/** A feed over connections of its own: one after the other, each going on where the last one ended. */
export class ConnectionFeed implements Feed, ConnectionOwner {
  readonly #options: ResolvedConnectOptions;
  readonly #wishes: Wishes;
  #listener: FeedListener = nobody;
  #place: string | null = null;
  #state: ClientState | null = null;
  #history: History = noHistory;
  #connection: Connection | null = null;
  #timer: Timer | null = null;
  /** When the gateway greeted, by its own clock: newer events are live ones. */
  #greetedAt = "";
  #unlisten: () => void = () => undefined;

  constructor(options: ResolvedConnectOptions) {
    this.#options = options;
    const { transport, getToken, surroundings } = options;
    this.#wishes = { transport, hasToken: getToken !== null, random: surroundings.random };
  }

  get place(): string | null {
    return this.#place;
  }

  start(place: string | null, listener: FeedListener): void {
    this.#place = place;
    this.#listener = listener;
    this.#unlisten = listenForWakeUps({ woken: () => this.#wake(), hidden: () => undefined });
    this.#begin(firstTransport(this.#options.transport, this.#history), "started");
  }

  pause(): void {
    if (this.#state?.kind === "closed") return;
    this.#drop();
    this.#enter({ kind: "waiting", reason: "hand_over_full", retryInMs: null });
  }

  unpause(): void {
    if (this.#state?.kind === "waiting" && this.#state.reason === "hand_over_full")
      this.#begin(firstTransport(this.#options.transport, this.#history), "hand_over_full");
  }

  close(): void {
    this.#end({ kind: "closed", reason: "closed_here", message: null });
  }

  onFrame(frame: KnownFrame): void {
    const before = this.#place;
    const startsAtHead = before === null && this.#options.after === "latest";
    const { place, gap, event } = takeFrame(before, frame, startsAtHead);
    this.#place = place;
    if (isGreeting(frame)) this.#greet(frame, startsAtHead);
    if (gap !== null) this.#listener.onGap(gap);
    if (event !== null) {
      if (event.timestamp > this.#greetedAt) this.#catchUp();
      this.#listener.onEvent(event);
    } else if (place !== before) this.#listener.onMoved();
  }

  onEnd(end: SourceEnd, attempt: Attempt): void {
    this.#drop();
    const { step, history } = nextStep(end, attempt, this.#history, this.#wishes);
    this.#history = history;
    if ("message" in end && step.kind !== "try") this.#options.warn(end.message);
    switch (step.kind) {
      case "try":
        return this.#begin(step.transport, step.reason);
      case "wait":
        this.#enter({ kind: "waiting", reason: step.reason, retryInMs: step.ms });
        // A process that only waits for its events must not end meanwhile.
        this.#timer = this.#after(step.ms, () => this.#begin(step.transport, step.reason), true);
        return;
      case "close":
        return this.#end({ kind: "closed", reason: step.reason, message: step.message });
    }
  }

  #begin(transport: Transport, reason: "started" | "woken" | WaitReason): void {
    this.#drop();
    this.#enter({ kind: "connecting", reason, transport });
    // A listener of the state may have closed or paused it.
    if (this.#state?.kind !== "connecting") return;
    const tokenReason: TokenReason = reason === "unauthorized" ? "refused" : "connecting";
    this.#connection = new Connection(
      this.#options,
      { transport, after: this.#place ?? this.#options.after, tokenReason },
      this,
    );
  }

  #greet({ timestamp, data }: Greeting, startsAtHead: boolean): void {
    const transport = this.#state?.kind === "connecting" ? this.#state.transport : "websocket";
    this.#greetedAt = timestamp;
    if (startsAtHead) return this.#enter({ kind: "live", reason: "at_head", transport });
    this.#enter({ kind: "catching_up", reason: data.resumed ? "resumed" : "replaying", transport });
    this.#listenForQuiet();
  }

  // The gateway does not say when the past ends; a newer event or a moment of quiet does.
  #listenForQuiet(): void {
    this.#timer?.cancel();
    this.#timer = this.#after(quietMs, () => {
      if (this.#state?.kind !== "catching_up" || this.#connection === null) return;
      const quietFor = this.#options.surroundings.clock.now() - this.#connection.lastHeardAt;
      if (quietFor >= quietMs) this.#catchUp();
      else this.#listenForQuiet();
    });
  }

  #catchUp(): void {
    if (this.#state?.kind !== "catching_up") return;
    this.#timer?.cancel();
    this.#enter({ kind: "live", reason: "caught_up", transport: this.#state.transport });
  }

  #wake(): void {
    this.#connection?.doubt();
    if (this.#state?.kind === "waiting" && isCutByWaking(this.#state.reason))
      this.#begin(firstTransport(this.#options.transport, this.#history), "woken");
  }

  #end(state: ClientState & { readonly kind: "closed" }): void {
    if (this.#state?.kind === "closed") return;
    this.#drop();
    this.#unlisten();
    this.#enter(state);
  }

  #drop(): void {
    this.#timer?.cancel();
    this.#connection?.close();
    this.#connection = null;
  }

  #enter(state: ClientState): void {
    this.#state = state;
    this.#listener.onState(state);
  }

  #after(ms: number, run: () => void, holdsProcess = false): Timer {
    return this.#options.surroundings.scheduler.after(ms, run, { holdsProcess });
  }
}

/** Whether it is worth another try at once when the network or the reader is back: not against what the server said. Pure. */
function isCutByWaking(reason: WaitReason): boolean {
  return reason === "unreachable" || reason === "lost" || reason === "silent" || reason === "token_failed";
}

type Greeting = ClientFrame & { readonly type: "client.connected" };

function isGreeting(frame: KnownFrame): frame is Greeting {
  return !("id" in frame) && frame.type === "client.connected";
}

const quietMs = 500;

const nobody: FeedListener = {
  onEvent: () => undefined,
  onGap: () => undefined,
  onMoved: () => undefined,
  onState: () => undefined,
};
