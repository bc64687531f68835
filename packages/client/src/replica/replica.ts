import { backOffMs } from "../back-off.ts";
import { invalidOption } from "../client-error.ts";
import type { ClientState } from "../client-state.ts";
import type { EventClient } from "../event-client.ts";
import { withDefaults } from "../options.ts";
import { readPlace } from "../place.ts";
import type { Timer } from "../surroundings.ts";
import type { EventsMatching } from "../typed-events.ts";
import { eventsToApply, type HeldEvents } from "./held-events.ts";
import { reduceByVocabulary, type Loaded, type Reduce, type ReplicaOptions } from "./options.ts";
import { Snapshots } from "./snapshots.ts";

/** How far a replica is. While it is loaded anew it shows what it had. */
export type ReplicaState = "loading" | "live" | "reloading" | "closed";

/** Keeps a copy of the server's state, never torn: what `load` gives, and every event after it, each once. */
export function replica<Events, Value>(
  client: EventClient<Events>,
  options: ReplicaOptions<Events, Value>,
): Replica<Events, Value> {
  return new Replica(client, options);
}

/** A live copy, readable as the Map it is; `subscribe` and `getSnapshot` are what React, Vue, Svelte and Solid want of a store. */
export class Replica<Events, Value> implements Iterable<[string, Value]> {
  readonly #client: EventClient<Events>;
  readonly #load: ReplicaOptions<Events, Value>["load"];
  readonly #reduce: Reduce<Events, Value>;
  readonly #maxHeldEvents: number;
  readonly #snapshots: Snapshots<Value>;
  readonly #unlisten: readonly (() => void)[];
  #entries = new Map<string, Value>();
  #state: ReplicaState = "loading";
  #position: string | null = null;
  /** Null: nothing is under way. */
  #held: HeldEvents<EventsMatching<Events>> | null = null;
  #failures = 0;
  #timer: Timer | null = null;
  #becomeReady: () => void = () => undefined;

  /** Resolves when the state was loaded for the first time, or the replica closed before that. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#becomeReady = resolve;
  });

  constructor(client: EventClient<Events>, options: ReplicaOptions<Events, Value>) {
    const { load, reduce, maxHeldEvents } = withDefaults("options", options, {
      ...{ load: null, reduce: null, maxHeldEvents: 10_000 },
    });
    if (typeof load !== "function") throw invalidOption("load", "a function", load);
    if (!(maxHeldEvents > 0)) throw invalidOption("maxHeldEvents", "a number above 0", maxHeldEvents);
    this.#client = client;
    this.#load = load;
    this.#reduce = reduce ?? reduceByVocabulary(client.vocabulary);
    this.#maxHeldEvents = maxHeldEvents;
    this.#snapshots = new Snapshots(client.runtime, () => this.#entries);
    this.#unlisten = [
      // Every pattern matches: the types of one vocabulary are the client's to name.
      (client as unknown as EventClient).on("**", (event) => this.#take(event as unknown as EventsMatching<Events>)),
      client.on("gap", () => this.#begin()),
      client.on("state", (state) => this.#follow(state)),
    ];
    this.#follow(client.state);
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** What the entries are the state of; null before the first load. */
  get position(): string | null {
    return this.#position;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#entries.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.#entries.entries();
  }

  /** The entries of now; the same object until they change, and never changed itself. Bound. */
  readonly getSnapshot = (): ReadonlyMap<string, Value> => this.#snapshots.current;

  /** Called with the snapshot now, and at most once per turn when it has changed. Returns how to stop. Bound. */
  readonly subscribe = (listener: (entries: ReadonlyMap<string, Value>) => void): (() => void) =>
    this.#snapshots.subscribe(listener);

  /** Follows no longer; what it has stays readable. The client stays the application's. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.#timer?.cancel();
    this.#held = null;
    for (const unlisten of this.#unlisten) unlisten();
    this.#enter("closed");
    this.#snapshots.close();
    this.#becomeReady();
  }

  #follow({ kind }: ClientState): void {
    if (kind === "closed") this.close();
    else if ((kind === "live" || kind === "catching_up") && this.#state === "loading" && this.#held === null)
      this.#begin();
  }

  /** Loads, holding what comes meanwhile: at once, or after a while. Whatever was under way is forgotten. */
  #begin(isAtOnce = true): void {
    if (this.#state === "closed") return;
    this.#timer?.cancel();
    if (this.#state === "live") this.#enter("reloading");
    const held: HeldEvents<EventsMatching<Events>> = { after: this.#client.position, events: [] };
    this.#held = held;
    if (!isAtOnce) return this.#loadLater(held);
    this.#failures = 0;
    void this.#loadOver(held);
  }

  #loadLater(held: HeldEvents<EventsMatching<Events>>): void {
    const { surroundings } = this.#client.runtime;
    this.#timer = surroundings.scheduler.after(backOffMs(this.#failures, surroundings.random), () => {
      void this.#loadOver(held);
    });
    this.#failures += 1;
  }

  async #loadOver(held: HeldEvents<EventsMatching<Events>>): Promise<void> {
    let problem: unknown;
    try {
      const loaded = await this.#load();
      if (this.#held !== held) return;
      if (this.#adopt(loaded, held)) return;
    } catch (error) {
      problem = error;
    }
    if (this.#held !== held) return;
    if (problem !== undefined) this.#client.runtime.warn("a replica could not be loaded; trying again", problem);
    // Soon another answer may be new enough.
    this.#loadLater(held);
  }

  /** False when what was loaded does not fit to what was held. */
  #adopt({ position, entries }: Loaded<Value>, held: HeldEvents<EventsMatching<Events>>): boolean {
    const at = typeof position === "string" ? position : `${position.epoch}-${position.offset}`;
    const missing = eventsToApply(held, at);
    if (missing === null) return false;
    const next = new Map(isIterable(entries) ? entries : Object.entries(entries));
    for (const event of missing) this.#reduce(next, event);
    this.#held = null;
    this.#entries = next;
    this.#position = missing.at(-1)?.id ?? at;
    this.#snapshots.changed();
    this.#enter("live");
    this.#becomeReady();
    return true;
  }

  #take(event: EventsMatching<Events>): void {
    const held = this.#held;
    if (held !== null) {
      held.events.push(event);
      // Nothing of it is lost: what is loaded after this includes it.
      if (held.events.length > this.#maxHeldEvents) this.#begin();
      return;
    }
    if (this.#state !== "live" || !this.#isNews(event.id)) return;
    try {
      this.#reduce(this.#entries, event);
      this.#position = event.id;
      this.#failures = 0;
      this.#snapshots.changed();
    } catch (error) {
      // Perhaps half of it was done. Not at once: what cannot take one event may take none, in every page that is open.
      this.#client.runtime.warn("`reduce` threw; the replica is loaded anew", error);
      this.#begin(false);
    }
  }

  // The state may have been loaded at a later place than the client's.
  #isNews(id: string): boolean {
    const [at, to] = [readPlace(this.#position), readPlace(id)];
    return at === null || to === null || at.epoch !== to.epoch || to.offset > at.offset;
  }

  #enter(state: ReplicaState): void {
    this.#state = state;
    this.#snapshots.announce();
  }
}

function isIterable<Item>(value: Iterable<Item> | object): value is Iterable<Item> {
  return Symbol.iterator in value;
}
