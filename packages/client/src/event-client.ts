import type { EventFrame } from "@starcast/core/wire";
import { ClientError, invalidOption } from "./client-error.ts";
import type { ClientGap, ClientState } from "./client-state.ts";
import type { Feed } from "./feed.ts";
import { HandOver } from "./hand-over.ts";
import { Listeners } from "./listeners.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import { positionKey } from "./request-url.ts";
import { SavedPosition } from "./saved-position.ts";
import type { Surroundings } from "./surroundings.ts";
import type { EventVocabulary, EventsMatching, TypePattern } from "./typed-events.ts";
import { listenForWakeUps } from "./wake-ups.ts";
import type { Warn } from "./warnings.ts";

/** What a client is made of. */
export interface EventClientSettings<Events> {
  readonly options: ResolvedConnectOptions;
  readonly feed: Feed;
  readonly vocabulary: EventVocabulary<Events> | null;
  readonly signal: AbortSignal | null;
}

/** Events as they happen: each once and in order, over however many connections, or a gap that says which are missing. */
export class EventClient<Events = Record<string, unknown>> implements AsyncIterable<EventsMatching<Events>> {
  /** The vocabulary it was given. */
  readonly vocabulary: EventVocabulary<Events> | null;
  readonly #options: ResolvedConnectOptions;
  readonly #feed: Feed;
  readonly #signal: AbortSignal | null;
  readonly #saved: SavedPosition | null;
  readonly #events: Listeners;
  readonly #gaps: Listeners<ClientGap>;
  readonly #states: Listeners<ClientState>;
  readonly #handOvers = new Set<HandOver<EventFrame>>();
  #state: ClientState;
  #isPaused = false;
  #isGapWarned = false;
  #unlisten: () => void = () => undefined;
  #closing: Promise<void> | null = null;

  /** For `connect` and its like. Nothing is told before the caller's turn is over. */
  constructor({ options, feed, vocabulary, signal }: EventClientSettings<Events>) {
    const { transport, positions, surroundings, warn, url } = options;
    this.#options = options;
    this.#feed = feed;
    this.vocabulary = vocabulary;
    this.#signal = signal;
    this.#state = { kind: "connecting", reason: "started", transport: transport === "sse" ? "sse" : "websocket" };
    this.#events = new Listeners(warn);
    this.#gaps = new Listeners<ClientGap>(warn);
    this.#states = new Listeners<ClientState>(warn);
    this.#saved =
      positions === null ? null : new SavedPosition(positions, positionKey(url, options), surroundings, warn);
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
    if (typeof listener !== "function") throw invalidOption("listener", "a function", listener);
    // What each list tells is what the signatures above say of its listeners.
    if (what === "gap") return this.#gaps.add("**", listener as (gap: ClientGap) => void);
    if (what === "state") return this.#states.add("**", listener as (state: ClientState) => void);
    if (!what.includes(".") && what !== "**") throw invalidOption("what", '"gap", "state" or a type pattern', what);
    return this.#events.add(what, listener as (event: EventFrame) => void);
  }

  /**
   * Every event from now on. A loop that falls behind by `maxBufferedEvents` holds the whole client up: the connection is
   * given up, and goes on there later. It ends with the client, or throws what ended it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<EventsMatching<Events>> {
    const handOver: HandOver<EventFrame> = new HandOver(this.#options.maxBufferedEvents, {
      onRoom: () => this.#unpause(),
      onReturn: () => {
        this.#handOvers.delete(handOver);
        this.#unpause();
      },
    });
    if (this.#state.kind === "closed") handOver.end(errorOf(this.#state));
    else this.#handOvers.add(handOver);
    // Typed by the same vocabulary as the listeners.
    return handOver as unknown as AsyncIterableIterator<EventsMatching<Events>>;
  }

  /** Ends the connection; resolves when the position is saved. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onEvent(event: EventFrame): void {
    this.#events.tell(event.type, event);
    let isFull = false;
    for (const handOver of this.#handOvers) {
      handOver.push(event);
      isFull ||= handOver.isFull;
    }
    this.#onMoved();
    if (isFull && !this.#isPaused) {
      this.#isPaused = true;
      this.#feed.pause();
    }
  }

  #onGap(gap: ClientGap): void {
    if (this.#gaps.count === 0) {
      const message = `events after ${gap.after ?? "an unknown place"} through ${gap.through} are missing (${gap.reason}), and nobody listens: add client.on("gap", ...)`;
      if (!this.#isGapWarned) this.#options.warn(message);
      this.#isGapWarned = true;
    }
    this.#gaps.tell("gap", gap);
    this.#onMoved();
  }

  #onMoved(): void {
    const { place } = this.#feed;
    if (place !== null) this.#saved?.moved(place);
  }

  #onState(state: ClientState): void {
    this.#state = state;
    this.#states.tell("state", state);
    if (state.kind === "closed") void this.close();
  }

  async #start(): Promise<void> {
    // After the caller's turn, so that listeners added in it miss nothing.
    const saved = (await this.#saved?.load()) ?? null;
    if (this.#signal?.aborted === true) return this.close();
    if (this.#closing !== null) return;
    const stop = (): void => void this.close();
    this.#signal?.addEventListener("abort", stop, { once: true });
    const unlisten = listenForWakeUps({ woken: () => undefined, hidden: () => void this.#saved?.flush() });
    this.#unlisten = () => {
      this.#signal?.removeEventListener("abort", stop);
      unlisten();
    };
    const { after } = this.#options;
    this.#feed.start(saved ?? (after === "latest" || after === "earliest" ? null : after), {
      onEvent: (event) => this.#onEvent(event),
      onGap: (gap) => this.#onGap(gap),
      onMoved: () => this.#onMoved(),
      onState: (state) => this.#onState(state),
    });
  }

  #unpause(): void {
    if (!this.#isPaused || [...this.#handOvers].some((handOver) => handOver.isFull)) return;
    this.#isPaused = false;
    this.#feed.unpause();
  }

  async #close(): Promise<void> {
    this.#unlisten();
    this.#feed.close();
    // A feed that was never started has nothing to say.
    if (this.#state.kind !== "closed") this.#onState({ kind: "closed", reason: "closed_here", message: null });
    const error = this.#state.kind === "closed" ? errorOf(this.#state) : null;
    for (const handOver of this.#handOvers) handOver.end(error);
    this.#handOvers.clear();
    for (const listeners of [this.#events, this.#gaps, this.#states]) listeners.clear();
    await this.#saved?.flush();
  }
}

/** What a loop over a client throws when it was not the application that ended it. */
function errorOf({ reason, message }: ClientState & { readonly kind: "closed" }): ClientError | null {
  if (reason === "closed_here" || reason === "done") return null;
  const code = reason === "refused" ? "connection_failed" : "not_authorized";
  return new ClientError(code, `The connection ended for good: ${message ?? reason}`);
}
