import type { ClientState, Transport, WaitReason } from "./client-state.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { End } from "./end.ts";
import type { Feed, Notice } from "./feed.ts";
import { firstTransport, nextStep, noHistory, type Attempt } from "./next-step.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import type { KnownFrame } from "./read-frame.ts";
import type { Timer } from "./surroundings.ts";
import { takeFrame } from "./take-frame.ts";

/** A feed over connections of its own: one after the other, each going on where the last one ended. */
export class ConnectionFeed implements Feed, ConnectionOwner {
  readonly #options: ResolvedConnectOptions;
  #tell: (notice: Notice) => void = () => undefined;
  #place: string | null = null;
  #state: ClientState | null = null;
  #history = noHistory;
  #connection: Connection | null = null;
  #timer: Timer | null = null;
  /** When the gateway greeted, by its own clock: newer events are live ones. */
  #greetedAt = "";

  constructor(options: ResolvedConnectOptions) {
    this.#options = options;
  }

  get place(): string | null {
    return this.#place;
  }

  start(place: string | null, tell: (notice: Notice) => void): void {
    this.#place = place;
    this.#tell = tell;
    this.#begin("started");
  }

  pause(): void {
    this.#leave({ kind: "waiting", reason: "hand_over_full", retryInMs: null });
  }

  unpause(): void {
    if (this.#isWaitingFor(/^hand_over_full$/)) this.#begin("hand_over_full");
  }

  wake(): void {
    this.#connection?.doubt();
    // Another try at once, but not against what the server said.
    if (this.#isWaitingFor(/^(unreachable|lost|silent|token_failed)$/)) this.#begin("woken");
  }

  close(): void {
    this.#leave({ kind: "closed", reason: "closed_here", message: null });
  }

  onFrame(frame: KnownFrame): void {
    const startsAtHead = this.#place === null && this.#options.after === "latest";
    const { place, gap, event } = takeFrame(this.#place, frame, startsAtHead);
    this.#place = place;
    if (!("id" in frame)) this.#note(frame, startsAtHead);
    if (event !== null && event.timestamp > this.#greetedAt) this.#catchUp();
    this.#tell({ gap, event });
  }

  onEnd(end: End, attempt: Attempt): void {
    const { transport, getToken, surroundings, warn } = this.#options;
    const wishes = { transport, hasToken: getToken !== null, random: surroundings.random };
    const { step, history } = nextStep(end, attempt, this.#history, wishes);
    this.#history = history;
    if (step.kind === "try") return this.#begin(step.reason, step.transport);
    const { message = null } = end;
    if (message !== null) warn(message);
    if (step.kind === "close") return this.#leave({ kind: "closed", reason: step.reason, message });
    const waiting: ClientState = { kind: "waiting", reason: step.reason, retryInMs: step.ms };
    this.#leave(waiting);
    // A process that only waits for its events must not end meanwhile.
    if (this.#state === waiting) this.#after(step.ms, () => this.#begin(step.reason), true);
  }

  #note({ type, timestamp, data }: Exclude<KnownFrame, { readonly id: string }>, startsAtHead: boolean): void {
    if (type !== "client.connected" && type !== "client.heartbeat") return;
    if (type === "client.connected" && this.#state?.kind === "connecting") {
      const { transport } = this.#state;
      this.#greetedAt = timestamp;
      if (startsAtHead) this.#enter({ kind: "live", reason: "at_head", transport });
      else {
        this.#enter({ kind: "catching_up", reason: data.resumed ? "resumed" : "replaying", transport });
        this.#listenForQuiet();
      }
    }
    const state: ClientState | null = this.#state;
    const isAway = data.state === "store_unreachable";
    if (state?.kind === "live" && isAway !== (state.reason === "store_unreachable"))
      this.#enter({ ...state, reason: isAway ? "store_unreachable" : "caught_up" });
  }

  #begin(
    reason: "started" | "woken" | WaitReason,
    transport: Transport = firstTransport(this.#options.transport, this.#history),
  ): void {
    this.#leave({ kind: "connecting", reason, transport });
    // A listener of the state may have closed or paused it.
    if (this.#state?.kind !== "connecting") return;
    const after = this.#place ?? this.#options.after;
    const tokenReason = reason === "unauthorized" ? "refused" : "connecting";
    this.#connection = new Connection(this.#options, { transport, after, tokenReason }, this);
  }

  // The gateway does not say when the past ends; a newer event or a moment of quiet does.
  #listenForQuiet(): void {
    this.#after(quietMs, () => {
      if (this.#connection === null || this.#connection.silentMs >= quietMs) this.#catchUp();
      else this.#listenForQuiet();
    });
  }

  #catchUp(): void {
    if (this.#state?.kind !== "catching_up") return;
    this.#timer?.cancel();
    this.#enter({ kind: "live", reason: "caught_up", transport: this.#state.transport });
  }

  #isWaitingFor(reasons: RegExp): boolean {
    return this.#state?.kind === "waiting" && reasons.test(this.#state.reason);
  }

  /** Ends the connection, for a state that has none yet. Closed is for good. */
  #leave(state: ClientState): void {
    if (this.#state?.kind === "closed") return;
    this.#timer?.cancel();
    this.#connection?.close();
    this.#connection = null;
    this.#enter(state);
  }

  #enter(state: ClientState): void {
    this.#state = state;
    this.#tell({ state });
  }

  #after(ms: number, run: () => void, holdsProcess = false): void {
    this.#timer = this.#options.surroundings.scheduler.after(ms, run, { holdsProcess });
  }
}

const quietMs = 500;
