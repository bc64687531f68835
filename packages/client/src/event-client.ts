import type { EventFrame } from "@starcast/core/wire";
import { ClientError } from "./client-error.ts";
import type { ClientGap, ClientState } from "./client-state.ts";
import type { Feed, Notice } from "./feed.ts";
import { handOver, type HandOver } from "./hand-over.ts";
import { listenersOf } from "./listeners.ts";
import { firstTransport, noHistory } from "./next-step.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import { readPlace } from "./place.ts";
import { savedPosition } from "./saved-position.ts";
import type { Surroundings } from "./surroundings.ts";
import type { EventVocabulary, EventsMatching, TypePattern } from "./typed-events.ts";
import { listenTo, wakeUps } from "./wake-ups.ts";
import type { Warn } from "./warnings.ts";

/** Events as they happen: each once and in order, over however many connections, or a gap that says which are missing. */
export interface EventClient<Events = Record<string, unknown>> extends AsyncIterable<EventsMatching<Events>> {
  /** The vocabulary it was given. */
  readonly vocabulary: EventVocabulary<Events> | null;
  readonly state: ClientState;
  /** What it stands on, for what is built upon it. */
  readonly runtime: { readonly surroundings: Surroundings; readonly warn: Warn };
  /** Everything up to here was told to the listeners; null before the first connection. */
  readonly position: string | null;
  /** Called with what will never come. Returns how to stop. */
  on(what: "gap", listener: (gap: ClientGap) => void): () => void;
  /** Called with every state the client enters. Returns how to stop. */
  on(what: "state", listener: (state: ClientState) => void): () => void;
  /** Called with every event of the type, or of the types a pattern lets through. Returns how to stop. */
  on<Pattern extends TypePattern<Events>>(
    pattern: Pattern,
    listener: (event: EventsMatching<Events, Pattern>) => void,
  ): () => void;
  /**
   * Every event from now on. A loop that falls behind by `maxBufferedEvents` holds the whole client up: the connection is
   * given up, and goes on there later. It ends with the client, or throws what ended it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<EventsMatching<Events>>;
  /** Ends the connection; resolves when the position is saved. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** For `connect` and its like. Nothing is told before the caller's turn is over. */
export function eventClient<Events>(
  options: ResolvedConnectOptions,
  feed: Feed,
  vocabulary: EventVocabulary<Events> | null,
): EventClient<Events> {
  const { after, maxBufferedEvents, positions, signal, warn } = options;
  const listeners = listenersOf(warn);
  const saved = positions && savedPosition(positions, options);
  const loops = new Set<HandOver<EventFrame>>();
  let state: ClientState = { kind: "connecting", reason: "started", transport: firstTransport(options, noHistory) };
  let isPaused = false;
  let unlisten: (() => void) | null = null;
  let closing: Promise<void> | null = null;

  const isFull = (): boolean => [...loops].some((loop) => loop.isFull());

  const unpause = (): void => {
    if (!isPaused || isFull()) return;
    isPaused = false;
    feed.unpause();
  };

  const take = ({ state: entered, gap, event }: Notice): void => {
    if (entered !== undefined) {
      state = entered;
      listeners.tell("state", state);
      if (state.kind === "closed") void close();
    }
    if (gap && !listeners.tell("gap", gap)) warn('events are missing: listen with on("gap", ...)', gap);
    if (event) {
      // Loops first: a listener that closes the client ends them.
      for (const loop of loops) loop.push(event);
      listeners.tell(event.type, event);
    }
    if (feed.place !== null) saved?.moved(feed.place);
    if (event && isFull() && !isPaused) {
      isPaused = true;
      feed.pause();
    }
  };

  const end = async (): Promise<void> => {
    unlisten?.();
    feed.close();
    // A feed that was never started has nothing to say.
    if (state.kind !== "closed") take({ state: { kind: "closed", reason: "closed_here", message: null } });
    for (const loop of loops) loop.end(errorOf(state));
    loops.clear();
    listeners.clear();
    await saved?.flush();
  };

  const close = (): Promise<void> => (closing ??= end());

  const start = async (): Promise<void> => {
    // After the caller's turn, so that listeners added in it miss nothing.
    const place = await saved?.load();
    if (signal?.aborted === true) void close();
    if (closing !== null) return;
    unlisten = listenTo([
      ...wakeUps(
        () => feed.wake(),
        () => void saved?.flush(),
      ),
      [signal, "abort", () => void close()],
    ]);
    feed.start(place ?? (readPlace(after) && after), take);
  };

  void start();
  return {
    vocabulary,
    runtime: options,
    get state() {
      return state;
    },
    get position() {
      return feed.place;
    },
    on: listeners.add,
    [Symbol.asyncIterator]() {
      const loop: HandOver<EventFrame> = handOver(maxBufferedEvents, unpause, () => {
        loops.delete(loop);
        unpause();
      });
      if (state.kind === "closed") loop.end(errorOf(state));
      else loops.add(loop);
      // Typed by the same vocabulary as the listeners.
      return loop as unknown as AsyncIterableIterator<EventsMatching<Events>>;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What a loop over a client throws when it was not the application that ended it. */
function errorOf(state: ClientState): ClientError | null {
  const { reason } = state;
  if (state.kind !== "closed" || reason === "closed_here" || reason === "done") return null;
  const code = reason === "refused" ? "connection_failed" : "not_authorized";
  return new ClientError(code, `Closed for good: ${state.message ?? reason}`);
}
