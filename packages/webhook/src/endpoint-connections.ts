import { Client } from "undici";
import { AttemptError } from "./attempt-error.ts";
import type { FailureCategory } from "./outcome.ts";

/**
 * The connections to one endpoint: each carries one request at a time, and is kept for the next when its answer was read
 * whole. One whose request was cut off is destroyed with its client, which would otherwise connect once more for nothing.
 */
export class EndpointConnections {
  readonly origin: string;
  readonly #options: Client.Options;
  #maxIdle = 1;
  /** Most recently used last: those at the front close by themselves. */
  readonly #idle: Client[] = [];
  readonly #busy = new Set<Client>();
  readonly #ending = new Set<Promise<void>>();
  #isRetired = false;

  constructor(origin: string, options: Client.Options) {
    this.origin = origin;
    this.#options = options;
  }

  /** One that carries nothing; `maxIdle` are kept from now on. The caller gives it back by `release` or `discard`, once. */
  take(maxIdle: number): Client {
    this.#maxIdle = maxIdle;
    const client = this.#idle.pop() ?? new Client(this.origin, this.#options);
    this.#busy.add(client);
    return client;
  }

  release(client: Client): void {
    if (!this.#busy.delete(client)) return;
    if (this.#isRetired || this.#idle.length >= this.#maxIdle) this.#own(client.close());
    else this.#idle.push(client);
  }

  /** Ends it at once, connected or not. */
  discard(client: Client, category: FailureCategory): void {
    if (this.#busy.delete(client)) this.#destroy(client, category);
  }

  /** Idle connections end; those that carry a request end with it. */
  retire(): void {
    this.#isRetired = true;
    for (const client of this.#idle.splice(0)) this.#own(client.close());
  }

  /** Everything ends at once; requests under way fail as `interrupted`. */
  destroy(): void {
    this.retire();
    for (const client of this.#busy) this.#destroy(client, "interrupted");
    this.#busy.clear();
  }

  /** Nothing of it is left. */
  get isGone(): boolean {
    return this.#isRetired && this.#busy.size === 0 && this.#ending.size === 0;
  }

  /** Resolves when what was ended so far has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #destroy(client: Client, category: FailureCategory): void {
    this.#own(client.destroy(new AttemptError(category, `Expected a whole answer within the limits, got ${category}`)));
  }

  #own(ending: Promise<void>): void {
    const owned = ending.finally(() => this.#ending.delete(owned));
    this.#ending.add(owned);
  }
}
