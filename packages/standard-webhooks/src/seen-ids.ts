import type { MaybePromise } from "./crypto-engine.ts";
import { invalidOption } from "./errors.ts";
import { resolveMemorySeenIdsOptions, type MemorySeenIdsOptions } from "./options.ts";

/** One verified attempt. */
export interface SeenAttempt {
  /** `webhook-id`: the same at every attempt. */
  readonly id: string;
  /** Stands for id, timestamp and body, and so for every signature over them: equal only when exactly the same comes again. */
  readonly content: string;
  /** Milliseconds since 1970 from which the timestamp alone refuses this attempt, so that `content` may be forgotten. */
  readonly acceptableUntil: number;
}

/** `first`: handle it. `repeated`: handled before under another timestamp. `replayed`: these very bytes were taken before. */
export type SeenBefore = "first" | "repeated" | "replayed";

/** What remembers which webhooks were handled: in memory, or wherever several processes can see it. */
export interface SeenIds {
  /**
   * MUST take the attempt atomically: of two calls with the same `content`, one gets `replayed`, unless the other has
   * failed. MUST say `repeated` only for an id whose handling has succeeded.
   */
  begin(attempt: SeenAttempt): MaybePromise<SeenBefore>;
  /** MUST remember the id from now on, and the content until `acceptableUntil`. */
  succeed(attempt: SeenAttempt): MaybePromise<void>;
  /** MUST let the same content in again. */
  fail(attempt: SeenAttempt): MaybePromise<void>;
}

/** Remembers in this process, and only there: at least the newest `maxIds` ids, at most twice as many. */
export class MemorySeenIds implements SeenIds {
  readonly #ids: RecentTexts;
  readonly #contents: RecentTexts;

  constructor(options: MemorySeenIdsOptions = {}) {
    const { maxIds } = resolveMemorySeenIdsOptions(options);
    this.#ids = new RecentTexts(maxIds);
    this.#contents = new RecentTexts(maxIds);
  }

  begin({ id, content }: SeenAttempt): SeenBefore {
    if (this.#contents.has(content)) return "replayed";
    this.#contents.add(content);
    return this.#ids.has(id) ? "repeated" : "first";
  }

  succeed({ id }: SeenAttempt): void {
    this.#ids.add(id);
  }

  fail({ content }: SeenAttempt): void {
    this.#contents.delete(content);
  }
}

/**
 * A set in two generations: when the younger is full, the older is forgotten whole. Forgetting one by one from the
 * front of a Map would walk over ever more holes.
 */
class RecentTexts {
  readonly #max: number;
  #younger = new Set<string>();
  #older = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(text: string): boolean {
    return this.#younger.has(text) || this.#older.has(text);
  }

  add(text: string): void {
    if (this.#younger.size >= this.#max) {
      this.#older = this.#younger;
      this.#younger = new Set();
    }
    this.#younger.add(text);
  }

  delete(text: string): void {
    this.#younger.delete(text);
    this.#older.delete(text);
  }
}

/** Checks by shape that something can serve as `SeenIds`. */
export function checkSeenIds(value: unknown): void {
  for (const method of ["begin", "succeed", "fail"] as const) {
    if (typeof value !== "object" || value === null || typeof (value as Partial<SeenIds>)[method] !== "function") {
      throw invalidOption("seenIds", "false, or an object with begin, succeed and fail", value);
    }
  }
}
