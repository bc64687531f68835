import { steadyClock, type Clock, type Position, type Surroundings, type Timer } from "@starcast/core";
import type { InFlightWindow } from "./in-flight-window.ts";
import type { Message } from "./message.ts";
import type { ResolvedStatusOptions } from "./state-options.ts";
import { StatusTopic, type Loss, type MirrorState, type Status } from "./status-topic.ts";

export interface StatusReporterOptions {
  /** Null: nothing is said. */
  readonly options: ResolvedStatusOptions | null;
  readonly window: InFlightWindow;
  readonly surroundings: Surroundings;
  readonly position: () => Position | null;
  readonly mirror: () => MirrorState | null;
}

/**
 * After so long it is told again, though nothing changed: the will of a process that had the place before may be said after
 * our first word, and would stay.
 */
export const retoldAfterMs = 60_000;

/** Keeps the retained status true: at the begin and the end of each connection, and now and then while the place moves. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #topic: StatusTopic | null;
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #told: string | null = null;
  #toldAt = 0;
  #dropped = 0;
  #countedThrough = 0;
  #lastLoss: Loss | null = null;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#clock = steadyClock(options.surroundings.clock);
    this.#topic = options.options === null ? null : new StatusTopic(options.options.topic, options.surroundings.clock);
  }

  /** What the MQTT broker is to say when the connection breaks; at least so much is published then. */
  will(): Message | null {
    return this.#topic?.status(this.#status("lost")) ?? null;
  }

  /** Begins with a connection. */
  start(): void {
    this.tell();
    this.#schedule();
  }

  /** Ends with it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Says how things are, unless the window is full: the next time will do. */
  tell(): void {
    const { window } = this.#options;
    if (this.#topic === null || window.isFull) return;
    const status = this.#status("online");
    this.#told = fingerprint(status);
    this.#toldAt = this.#clock.now();
    window.take(null, [this.#topic.status(status)]);
  }

  /** The last word, said even when the window is full. */
  sayClosed(): void {
    if (this.#topic !== null) this.#options.window.take(null, [this.#topic.status(this.#status("closed"))]);
  }

  /** A loss, from now on part of the status; gives its notice. */
  loss(loss: Loss): readonly Message[] {
    // A gap may be told again after a rewind.
    const { after, through } = loss;
    const from = after?.epoch === through.epoch ? after.offset : through.offset - 1;
    this.#dropped += Math.max(0, through.offset - Math.max(from, this.#countedThrough));
    this.#countedThrough = Math.max(this.#countedThrough, through.offset);
    this.#lastLoss = loss;
    return this.notice(loss);
  }

  /** The notice of a loss, to be acknowledged with what it stands for; none without a status topic. */
  notice(loss: Loss): readonly Message[] {
    return this.#topic === null ? [] : [this.#topic.gap(loss)];
  }

  #schedule(): void {
    const { options, surroundings } = this.#options;
    if (options === null) return;
    this.#timer = surroundings.scheduler.after(options.everyMs, () => {
      const isOld = this.#clock.now() - this.#toldAt >= retoldAfterMs;
      if (isOld || fingerprint(this.#status("online")) !== this.#told) this.tell();
      this.#schedule();
    });
  }

  #status(state: Status["state"]): Status {
    return {
      state,
      position: this.#options.position(),
      mirror: this.#options.mirror(),
      eventsDropped: this.#dropped,
      lastLoss: this.#lastLoss,
    };
  }
}

function fingerprint({ position, mirror, eventsDropped }: Status): string {
  return `${position?.epoch}-${position?.offset} ${mirror} ${eventsDropped}`;
}
