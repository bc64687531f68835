import { StarcastError, type Moment } from "@starcast/core";
import type { Mirror, ResyncSite } from "./mirror.ts";
import type { StateEntries } from "./state-options.ts";
import type { MirrorState } from "./status-topic.ts";

export interface MirrorKeeperOptions {
  readonly mirror: Mirror;
  readonly snapshot: (() => StateEntries | Promise<StateEntries>) | null;
  readonly publisher: string;
  readonly observe: (moment: Moment) => void;
  /** The mirror's state is another, or events may be published again. */
  readonly onChanged: () => void;
}

/** Where a resync may run: one connection. */
export type MirrorSite = Omit<ResyncSite, "signal">;

interface Request {
  readonly entries: StateEntries;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Decides when the mirror is resynced: on each connection and after a gap where there is a snapshot (an MQTT broker may
 * have lost what it retained while we were away), and when it is asked for.
 */
export class MirrorKeeper {
  readonly #options: MirrorKeeperOptions;
  #state: MirrorState = "following";
  #site: (MirrorSite & { readonly ending: AbortController }) | null = null;
  /** True while a resync runs: events would get in its way. */
  #isBusy = false;
  #isDue = false;
  /** The last one that began by itself ended the connection: the next would do so again. */
  #isHarmful = false;
  /** Why the MQTT broker did not take something of the resync that runs. */
  #refusal: StarcastError | null = null;
  #isClosed = false;
  readonly #requests: Request[] = [];

  constructor(options: MirrorKeeperOptions) {
    this.#options = options;
  }

  get state(): MirrorState {
    return this.#state;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** A connection began. */
  start(site: MirrorSite): void {
    this.#site = { ...site, ending: new AbortController() };
    this.#isDue = this.#options.snapshot !== null && !this.#isHarmful;
    this.#proceed();
  }

  /** A topic of the resync that runs was not taken: it does not make the mirror exact. */
  refused(error: StarcastError): void {
    this.#refusal ??= error;
  }

  /** What the resync that runs has sent ended the connection; it is not begun again before it is asked for, or a gap. */
  blame(): void {
    if (this.#isBusy) this.#isHarmful = true;
  }

  /** The connection ended: a resync that runs on it ends, too. */
  stop(): void {
    this.#site?.ending.abort(
      new StarcastError("connection_failed", "Expected the connection to last as long as the resync, got its end"),
    );
    this.#site = null;
  }

  /** No connection will come any more: whoever waits for one is told. */
  close(): void {
    this.stop();
    this.#isClosed = true;
    const error = new StarcastError("broker_closed", "Expected a publisher that is open, got one that was closed");
    for (const request of this.#requests.splice(0)) request.reject(error);
  }

  /** Changes were missed. */
  markStale(): void {
    const wasStale = this.#state === "stale";
    this.#state = "stale";
    this.#isHarmful = false;
    this.#isDue = this.#options.snapshot !== null;
    if (!wasStale) this.#options.onChanged();
    this.#proceed();
  }

  /** Most resyncs that may wait for a connection at once. */
  static readonly maxRequests = 16;

  async resync(entries: StateEntries | undefined): Promise<void> {
    const { snapshot } = this.#options;
    if (entries === undefined && snapshot === null) {
      throw new StarcastError("unsupported", "Expected entries, or a publisher with `state.snapshot`, got neither");
    }
    if (this.#isClosed)
      throw new StarcastError("broker_closed", "Expected a publisher that is open, got one that was closed");
    if (this.#requests.length >= MirrorKeeper.maxRequests) {
      throw new StarcastError(
        "overloaded",
        `Expected at most ${MirrorKeeper.maxRequests} resyncs to wait, got one more`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      this.#requests.push({ entries: entries ?? fromSnapshot(snapshot), resolve, reject });
      this.#proceed();
    });
  }

  #proceed(): void {
    const { snapshot } = this.#options;
    if (this.#isBusy || this.#site === null) return;
    const request = this.#requests.shift();
    if (request !== undefined) return void this.#run(request);
    if (!this.#isDue || snapshot === null) return;
    void this.#run({ entries: fromSnapshot(snapshot), resolve: () => undefined, reject: () => undefined });
  }

  async #run(request: Request): Promise<void> {
    const { mirror, publisher, observe, onChanged } = this.#options;
    const site = this.#site;
    if (site === null) return;
    this.#isBusy = true;
    this.#isDue = false;
    this.#refusal = null;
    try {
      const { ending, ...rest } = site;
      const result = await mirror.resync(request.entries, { ...rest, signal: ending.signal });
      this.#throwIfRefused();
      this.#isHarmful = false;
      // A gap that was told meanwhile has made it due again.
      if (!this.#isDue) this.#state = "exact";
      observe({ kind: "mqttMirrorResynced", level: "info", publisher, ...result });
      request.resolve();
    } catch (error) {
      this.#state = "stale";
      observe({ kind: "mqttMirrorFailed", level: "warn", publisher, error });
      request.reject(error);
    }
    this.#isBusy = false;
    onChanged();
    this.#proceed();
  }

  #throwIfRefused(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }
}

/** A snapshot that is taken when its first entry is asked for. */
async function* fromSnapshot(
  snapshot: (() => StateEntries | Promise<StateEntries>) | null,
): AsyncGenerator<readonly [string, unknown], void, undefined> {
  if (snapshot !== null) yield* await snapshot();
}
