import type { ClientState } from "../client-state.ts";
import { connectionFeed } from "../connection-feed.ts";
import type { Feed, Notice } from "../feed.ts";
import type { ResolvedConnectOptions } from "../options.ts";
import { isAhead } from "../place.ts";
import type { Timer } from "../surroundings.ts";
import { Leadership, type LeadershipOwner, type LockManagerLike } from "./leadership.ts";
import { judge, type TabNotice, type TabMessage } from "./tab-notice.ts";

type Mode = "following" | "catching_up" | "leading" | "paused" | "closed";

/** What of a browser lets tabs share. */
export interface TabRuntime {
  readonly locks: LockManagerLike;
  readonly channel: (name: string) => BroadcastChannelLike;
}

export interface BroadcastChannelLike {
  onmessage: ((message: never) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/**
 * A feed over the connection of whichever tab leads. A tab that leads has a connection and tells the others; one that
 * missed something, or begins further back, has one of its own until it stands where the leading tab does.
 */
export class TabsFeed implements Feed, LeadershipOwner {
  readonly #options: ResolvedConnectOptions;
  readonly #channel: BroadcastChannelLike;
  readonly #leadership: Leadership;
  #tell: (notice: Notice) => void = () => undefined;
  #place: string | null = null;
  #state: ClientState = { kind: "connecting", reason: "started", transport: "websocket" };
  #mode: Mode = "following";
  /** The tab's own connection: when it leads or catches up. */
  #own: Feed | null = null;
  /** What the leading tab said last. */
  #heard: TabNotice | null = null;
  #isAsked = false;
  #timer: Timer | null = null;

  constructor(options: ResolvedConnectOptions, name: string, { locks, channel }: TabRuntime) {
    this.#options = options;
    this.#leadership = new Leadership(locks, name, this);
    this.#channel = channel(name);
  }

  get place(): string | null {
    return this.#place;
  }

  start(place: string | null, tell: (notice: Notice) => void): void {
    this.#place = place;
    this.#tell = tell;
    if (place !== null || this.#options.after === "earliest") this.#mode = "catching_up";
    this.#enter(this.#state);
    // A listener of the state may have closed it.
    if (this.#mode === "closed") return;
    this.#channel.onmessage = ({ data }: { readonly data: TabMessage }) => this.#hear(data);
    this.#leadership.queue();
    this.#ask();
  }

  pause(): void {
    // Somebody else may lead meanwhile.
    this.#leadership.leave();
    this.#become("paused");
    this.#enter({ kind: "waiting", reason: "hand_over_full", retryInMs: null });
  }

  unpause(): void {
    if (this.#mode !== "paused") return;
    this.#leadership.queue();
    this.#connect("catching_up");
    this.#ask();
  }

  wake(): void {
    this.#own?.wake();
    if (this.#mode === "following") this.#ask();
  }

  close(): void {
    this.#end({ kind: "closed", reason: "closed_here", message: null });
  }

  onLead(): void {
    // Who catches up has the connection that it needs.
    if (this.#mode === "catching_up" && this.#own !== null) this.#mode = "leading";
    else this.#connect("leading");
    this.#share({}, this.#place);
  }

  onTaken(): void {
    if (this.#mode !== "leading") return;
    this.#become("following");
    this.#leadership.queue();
    this.#ask();
  }

  #hear(message: TabMessage): void {
    if (this.#mode === "closed") return;
    if (message === "who leads") {
      if (this.#mode === "leading") this.#share({}, this.#place);
      return;
    }
    this.#heard = message;
    this.#isAsked = false;
    this.#watch();
    // Two may believe to lead for a moment, when one that was frozen wakes up: each then follows its own connection.
    if (this.#mode === "following") this.#follow(message);
    else if (this.#mode === "catching_up") this.#catchUp(message);
  }

  #follow(message: TabNotice): void {
    // At the head is where the leading tab stands.
    this.#place ??= message.from;
    const judgement = judge(this.#place, message);
    if (judgement === "missed") return this.#connect("catching_up");
    if (JSON.stringify(message.state) !== JSON.stringify(this.#state)) this.#enter(message.state);
    // A listener of the state may have closed it.
    if (this.#mode !== "following") return;
    if (judgement !== "take") return;
    this.#place = message.place;
    this.#tell({ gap: message.gap ?? null, event: message.event ?? null });
  }

  /** Follows once it stands where the leading tab does. */
  #catchUp({ place, state }: TabNotice): void {
    if (place === null) return;
    if (this.#own === null && this.#place !== place) return this.#connect("catching_up");
    if (this.#place === null || (this.#place !== place && !isAhead(place, this.#place))) return;
    this.#become("following");
    this.#enter(state);
  }

  #connect(mode: "catching_up" | "leading"): void {
    this.#become(mode);
    const own = connectionFeed(this.#options);
    this.#own = own;
    own.start(this.#place, ({ state, gap = null, event = null }) => {
      if (this.#own !== own) return;
      const from = this.#place;
      this.#place = own.place;
      // For good: not let in, say. Other tabs find out for themselves.
      if (state?.kind === "closed") return this.#end(state);
      if (state !== undefined) this.#enter(state);
      this.#tell({ gap, event });
      if (this.#mode === "leading") this.#share({ gap, event }, from);
      else if (this.#mode === "catching_up" && this.#heard !== null) this.#catchUp(this.#heard);
    });
  }

  #end(state: ClientState): void {
    if (this.#mode === "closed") return;
    this.#leadership.leave();
    this.#become("closed");
    this.#timer?.cancel();
    this.#channel.close();
    this.#enter(state);
  }

  #become(mode: Mode): void {
    const own = this.#own;
    this.#own = null;
    this.#mode = mode;
    own?.close();
  }

  #enter(state: ClientState): void {
    this.#state = state;
    this.#tell({ state });
  }

  #share({ gap, event }: Notice, from: string | null): void {
    const shared: TabNotice = {
      gap: gap ?? null,
      event: event ?? null,
      from,
      place: this.#place,
      state: this.#state,
    };
    this.#channel.postMessage(shared);
  }

  /** Whoever leads answers, unless it is frozen. */
  #ask(): void {
    if (this.#mode === "leading" || this.#mode === "closed") return;
    this.#isAsked = true;
    this.#channel.postMessage("who leads" satisfies TabMessage);
    this.#watch();
  }

  #watch(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.surroundings.scheduler.after(this.#isAsked ? answerMs : silentMs, () => {
      if (!this.#isAsked) return this.#ask();
      if (this.#mode === "following" || this.#mode === "catching_up") this.#leadership.queue(true);
    });
  }
}

/** Who hears nothing from the leading tab for so long asks whether it is there. */
const silentMs = 5_000;

/** A leading tab answers within this, however far in the background, unless it is frozen or gone. */
const answerMs = 2_000;
