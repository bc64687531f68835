import { StarcastError, isStarcastError } from "@starcast/core";
import type { AnyBroker, Event } from "@starcast/core";
import type { Announcement } from "./announcement.ts";
import type { Announced } from "./find-announced.ts";
import type { Pending } from "./kept-catalog.ts";

/** So many announcements are on their way to the log at once: an engine commits them together, order is kept. */
export const announceWindow = 64;

/** How many announcements cannot be published, now or ever, and how long it took since the source answered. */
export interface AnnounceResult {
  readonly refused: number;
  readonly durationMs: number;
}

/** Publishes what of a run is not in the log yet, between `sync.started` and `sync.completed`, in order. */
export class Announcer {
  readonly #broker: AnyBroker;
  readonly #name: string;

  constructor(broker: AnyBroker, name: string) {
    this.#broker = broker;
    this.#name = name;
  }

  /**
   * Passes over what cannot be published (too large, an impossible subject): the broker has told the observer of each.
   * Rejects at the first failure that may pass, and when aborted; calling again with what is in the log by then goes on.
   */
  async announce(pending: Pending, announced: Announced, signal: AbortSignal): Promise<AnnounceResult> {
    const { announcements, counts, run, startedAt } = pending;
    const durationMs = (): number => Math.max(0, this.#broker.surroundings.clock.now() - startedAt);
    if (announced.isCompleted) return { refused: 0, durationMs: durationMs() };
    if (!announced.isStarted) {
      await this.#publish(
        { type: "sync.started", subject: this.#name, data: { changes: announcements.length } },
        `${run}-started`,
      );
    }
    let refused = 0;
    for (let from = 0; from < announcements.length; from += announceWindow) {
      if (signal.aborted) {
        throw new StarcastError(
          "broker_closed",
          `Expected to publish ${announcements.length} changes of \`${this.#name}\`, closed after ${from}`,
        );
      }
      refused += await this.#publishWindow(announcements.slice(from, from + announceWindow), from, pending, announced);
    }
    const result = { refused, durationMs: durationMs() };
    await this.#publish(
      { type: "sync.completed", subject: this.#name, data: { ...counts, durationMs: result.durationMs } },
      `${run}-completed`,
    );
    return result;
  }

  async #publishWindow(
    window: readonly Announcement[],
    from: number,
    { run }: Pending,
    { changes }: Announced,
  ): Promise<number> {
    const missing = window
      .map((announcement, index) => ({ announcement, number: from + index }))
      .filter(({ number }) => !changes.has(number));
    const publications = missing.map(({ announcement, number }) => this.#publish(announcement, `${run}-${number}`));
    const results = await Promise.allSettled(publications);
    let refused = 0;
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") continue;
      // Awaited again, it rejects with its own error.
      if (!isFinal(result.reason)) await publications[index];
      refused += 1;
    }
    return refused;
  }

  // The key makes an announcement whose fate was unknown (a time-out, an overslept lease) one event, not two. In memory
  // no fate is unknown, and keys are bounded.
  #publish({ type, subject, data }: Announcement, key: string): Promise<Event> {
    const isVolatile = this.#broker.store.log.durability === "memory";
    return this.#broker.publishAny(
      type,
      data,
      isVolatile ? { subject } : { subject, dedupeKey: `catalog/${this.#name}/${key}` },
    );
  }
}

function isFinal(error: unknown): boolean {
  return (
    isStarcastError(error, "event_too_large") ||
    isStarcastError(error, "invalid_data") ||
    isStarcastError(error, "invalid_subject")
  );
}
