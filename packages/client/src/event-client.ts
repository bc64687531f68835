import type { EventFrame } from "@starcast/core/wire";
import { ClientError } from "./client-error.ts";
import type { ClientGap, ClientState } from "./client-state.ts";
import type { Feed, Notice } from "./feed.ts";
import { handOver, type HandOver } from "./hand-over.ts";
import { listenersOf, type Listeners } from "./listeners.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import { savedPosition, type SavedPosition } from "./saved-position.ts";
import type { Surroundings } from "./surroundings.ts";
import type { EventVocabulary, EventsMatching, TypePattern } from "./typed-events.ts";
import { listenForWakeUps } from "./wake-ups.ts";
import type { Warn } from "./warnings.ts";

/** Events as they happen: each once and in order, over however many connections, or a gap that says which are missing. */
export class EventClient<Events = Record<string, unknown>> implements AsyncIterable<EventsMatching<Events>> {
  /** The vocabulary it was given. */
  readonly vocabulary: EventVocabulary<Events> | null;
  readonly #options: ResolvedConnectOptions;
  readonly #feed: Feed;
  readonly #saved: SavedPosition | null;
  readonly #listeners: Listeners;
  readonly #handOvers = new Set<HandOver<EventFrame>>();
  #state: ClientState;
  #isPaused = false;
  #isGapWarned = false;
  #unlisten: () => void = () => undefined;
  #closing: Promise<void> | null = null;

  /** For `connect` and its like. Nothing is told before the caller's turn is over. */
  constructor(options: ResolvedConnectOptions, feed: Feed, vocabulary: EventVocabulary<Events> | null) {
    this.#options = options;
    this.#feed = feed;
    this.vocabulary = vocabulary;
    const transport = options.transport === "sse" ? "sse" : "websocket";
    this.#state = { kind: "connecting", reason: "started", transport };
    this.#listeners = listenersOf(options.warn);
    this.#saved = options.positions && savedPosition(options.positions, options);
    void this.#start();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What it stands on, for what is built upon it. */
  get runtime(): { readonly surroundings: Surroundings; readonly warn: Warn } {
    return this.#options;
  }

  /** Everything up to here was told to the listeners; null before the first connection. */
  get position(): string | null {
    return this.#feed.place;
  }

  /** Called with what will never come. Returns how to stop. */
  on(what: "gap", listener: (gap: ClientGap) => void): () => void;
  /** Called with every state the client enters. Returns how to stop. */
  on(what: "state", listener: (state: ClientState) => void): () => void;
  /** Called with every event of the type, or of the types a pattern lets through. Returns how to stop. */
  on<Pattern extends TypePattern<Events>>(
    pattern: Pattern,
    listener: (event: EventsMatching<Events, Pattern>) => void,
  ): () => void;
  on(what: string, listener: (value: never) => void): () => void {
    return this.#listeners.add(what, listener);
  }

  /**
   * Every event from now on. A loop that falls behind by `maxBufferedEvents` holds the whole client up: the connection is
   * given up, and goes on there later. It ends with the client, or throws what ended it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<EventsMatching<Events>> {
    const loop: HandOver<EventFrame> = handOver(
      this.#options.maxBufferedEvents,
      () => this.#unpause(),
      () => {
        this.#handOvers.delete(loop);
        this.#unpause();
      },
    );
    if (this.#state.kind === "closed") loop.end(errorOf(this.#state));
    else this.#handOvers.add(loop);
    // Typed by the same vocabulary as the listeners.
    return loop as unknown as AsyncIterableIterator<EventsMatching<Events>>;
  }

  /** Ends the connection; resolves when the position is saved. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    // After the caller's turn, so that listeners added in it miss nothing.
    const saved = await this.#saved?.load();
    const { after, signal } = this.#options;
    const stop = (): void => void this.close();
    if (signal?.aborted === true) stop();
    if (this.#closing !== null) return;
    signal?.addEventListener("abort", stop);
    const unlisten = listenForWakeUps(
      () => this.#feed.wake(),
      () => void this.#saved?.flush(),
    );
    this.#unlisten = () => {
      signal?.removeEventListener("abort", stop);
      unlisten();
    };
    this.#feed.start(saved ?? (/^(latest|earliest)$/.test(after) ? null : after), (notice) => this.#take(notice));
  }

  #take({ state, gap, event }: Notice): void {
    if (state !== undefined) {
      this.#state = state;
      this.#listeners.tell("state", state);
      if (state.kind === "closed") void this.close();
    }
    if (gap && !this.#listeners.tell("gap", gap) && !this.#isGapWarned) {
      this.#isGapWarned = true;
      const { after, through, reason } = gap;
      this.#options.warn(
        `events after ${after} through ${through} are missing (${reason}): listen with on("gap", ...)`,
      );
    }
    if (event) {
      this.#listeners.tell(event.type, event);
      for (const loop of this.#handOvers) loop.push(event);
    }
    if (this.position !== null) this.#saved?.moved(this.position);
    if (event && this.#isFull() && !this.#isPaused) {
      this.#isPaused = true;
      this.#feed.pause();
    }
  }

  #isFull(): boolean {
    return [...this.#handOvers].some((loop) => loop.isFull());
  }

  #unpause(): void {
    if (!this.#isPaused || this.#isFull()) return;
    this.#isPaused = false;
    this.#feed.unpause();
  }

  async #close(): Promise<void> {
    this.#unlisten();
    this.#feed.close();
    // A feed that was never started has nothing to say.
    if (this.#state.kind !== "closed") this.#take({ state: { kind: "closed", reason: "closed_here", message: null } });
    for (const loop of this.#handOvers) loop.end(errorOf(this.#state));
    this.#handOvers.clear();
    this.#listeners.clear();
    await this.#saved?.flush();
  }
}

/** What a loop over a client throws when it was not the application that ended it. */
function errorOf(state: ClientState): ClientError | null {
  const { reason } = state;
  if (state.kind !== "closed" || reason === "closed_here" || reason === "done") return null;
  const code = reason === "refused" ? "connection_failed" : "not_authorized";
  return new ClientError(code, `Closed for good: ${state.message ?? reason}`);
}
