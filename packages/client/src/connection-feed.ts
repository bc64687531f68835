import type { ClientFrame } from "@starcast/core/wire";
import type { ClientState, WaitReason } from "./client-state.ts";
import { openConnection, type Connection } from "./connection.ts";
import type { End } from "./end.ts";
import type { Feed, Notice } from "./feed.ts";
import { firstTransport, nextStep, noHistory, type Attempt } from "./next-step.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import type { KnownFrame } from "./read-frame.ts";
import type { Timer } from "./surroundings.ts";
import { takeFrame } from "./take-frame.ts";

/** A feed over connections of its own: one after the other, each going on where the last one ended. */
export function connectionFeed(options: ResolvedConnectOptions): Feed {
  const { after, surroundings, warn } = options;
  let tell: (notice: Notice) => void = () => undefined;
  let place: string | null = null;
  let state: ClientState | null = null;
  let history = noHistory;
  let connection: Connection | null = null;
  let timer: Timer | null = null;
  /** When the gateway greeted, by its own clock: newer events are live ones. */
  let greetedAt = "";

  const wait = (ms: number, run: () => void, holdsProcess = false): void => {
    timer = surroundings.scheduler.after(ms, run, { holdsProcess });
  };

  const tellState = (entered: ClientState): void => {
    state = entered;
    tell({ state });
  };

  /** Ends the connection, for a state that begins without one. Closed is for good. */
  const enter = (entered: ClientState): void => {
    if (state?.kind === "closed") return;
    timer?.cancel();
    connection?.close();
    connection = null;
    tellState(entered);
    // A listener of the state may have closed or paused it.
    if (state !== entered) return;
    const { kind, reason } = entered;
    if (kind === "connecting") {
      const tokenReason = reason === "unauthorized" ? "refused" : "connecting";
      const { transport } = entered;
      connection = openConnection({ ...options, transport, after: place ?? after, tokenReason }, take, ended);
    }
    // A process that only waits for its events must not end meanwhile.
    if (kind === "waiting" && entered.retryInMs !== null) wait(entered.retryInMs, () => begin(entered.reason), true);
  };

  const begin = (reason: "started" | "woken" | WaitReason): void =>
    enter({ kind: "connecting", reason, transport: firstTransport(options, history) });

  // No reason is part of another.
  const isWaitingFor = (reasons: RegExp): boolean => state?.kind === "waiting" && reasons.test(state.reason);

  const caughtUp = (): void => {
    if (state?.kind !== "catching_up") return;
    timer?.cancel();
    tellState({ ...state, kind: "live", reason: "caught_up" });
  };

  // The gateway does not say when the past ends; a newer event or a moment of quiet does.
  const listenForQuiet = (): void =>
    wait(quietMs, () => (connection && connection.silentMs() < quietMs ? listenForQuiet() : caughtUp()));

  const note = ({ type, timestamp, data }: ClientFrame, startsAtHead: boolean): void => {
    if (type !== "client.connected" && type !== "client.heartbeat") return;
    if (type === "client.connected" && state?.kind === "connecting") {
      const { transport } = state;
      greetedAt = timestamp;
      if (startsAtHead) tellState({ kind: "live", reason: "at_head", transport });
      else {
        tellState({ kind: "catching_up", reason: data.resumed ? "resumed" : "replaying", transport });
        listenForQuiet();
      }
    }
    const isAway = data.state === "store_unreachable";
    if (state?.kind === "live" && isAway !== (state.reason === "store_unreachable"))
      tellState({ ...state, reason: isAway ? "store_unreachable" : "caught_up" });
  };

  const take = (frame: KnownFrame): void => {
    const startsAtHead = place === null && after === "latest";
    const { place: next, gap, event } = takeFrame(place, frame, startsAtHead);
    // The place moves with what is told, not before: a listener that closes it leaves behind it nothing that nobody got.
    if (gap) {
      place = gap.through;
      tell({ gap });
    }
    if (event && event.timestamp > greetedAt) caughtUp();
    if (state?.kind === "closed") return;
    place = next;
    if (!("id" in frame)) note(frame, startsAtHead);
    tell({ event });
  };

  const ended = (end: End, attempt: Attempt): void => {
    const step = nextStep(end, attempt, history, options);
    ({ history } = step);
    if (step.state.kind !== "connecting" && end.message) warn(end.message);
    enter(step.state);
  };

  return {
    get place() {
      return place;
    },
    start(from, listener) {
      place = from;
      tell = listener;
      begin("started");
    },
    pause: () => enter({ kind: "waiting", reason: "hand_over_full", retryInMs: null }),
    unpause() {
      if (isWaitingFor(/hand_over_full/)) begin("hand_over_full");
    },
    wake() {
      connection?.doubt();
      // Another try at once, but not against what the server said.
      if (isWaitingFor(/unreachable|lost|silent|token_failed/)) begin("woken");
    },
    close: () => enter({ kind: "closed", reason: "closed_here", message: null }),
  };
}

const quietMs = 500;
