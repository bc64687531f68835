import type { Position } from "../log/position.ts";
import type { Cursor, CursorOwner } from "../pump/cursor.ts";
import { compileFilter, type CompiledFilter, type Filter } from "../pump/filter.ts";
import type { Pump } from "../pump/pump.ts";
import type { Lease } from "../store/checkpoint-store.ts";
import type { CloseReason, Subscriber } from "../subscriber/subscriber.ts";
import { watchRejection } from "../thenable.ts";
import type { Subscription } from "./subscription.ts";

/** What all registrations of a broker have in common, so that none of them carries it. */
export interface RegistrationHome {
  readonly pump: Pump;
  readonly epoch: string;
  /** Called once, when it begins to close. */
  onClosed(registration: Registration, reason: CloseReason): void;
  /** Called once, when it has closed and given back what it held. */
  onEnded(registration: Registration): void;
  onFailed(registration: Registration, error: unknown): void;
}

export interface RegistrationSpec {
  /** What the user passed: the subscriber, or what was made into one. */
  readonly key: unknown;
  readonly subscriber: Subscriber;
  /** What it is durable under, or its number. */
  readonly called: string | number;
  readonly filter: CompiledFilter;
}

/** What a named subscription does beyond a plain one. */
export interface Durability {
  /** Null while another holds it. */
  readonly lease: Lease | null;
  /** The acknowledged place has moved; `saved` is one that is kept already. */
  acknowledged(saved: number | null): void;
  /** Gives the lease back; awaited after the subscriber's own close. Idempotent. */
  release(): Promise<void>;
}

/** One subscriber's place with the broker: its cursor while it has one, and its end. */
export class Registration implements Subscription, CursorOwner {
  readonly key: unknown;
  readonly subscriber: Subscriber;
  filter: CompiledFilter;
  readonly #home: RegistrationHome;
  readonly #called: string | number;
  #cursor: Cursor | null = null;
  #closing: Promise<void> | null = null;
  /** What makes it durable; null when it is not. */
  durability: Durability | null = null;

  constructor(home: RegistrationHome, spec: RegistrationSpec) {
    this.#home = home;
    this.key = spec.key;
    this.subscriber = spec.subscriber;
    this.#called = spec.called;
    this.filter = spec.filter;
  }

  /** What it is durable under, if it is. */
  get name(): string | undefined {
    return typeof this.#called === "string" ? this.#called : undefined;
  }

  get label(): string {
    return typeof this.#called === "string" ? this.#called : `#${this.#called}`;
  }

  get position(): Position | null {
    const cursor = this.#cursor;
    return cursor === null || cursor.state === "locating" ? null : cursor.position;
  }

  get isClosed(): boolean {
    return this.#closing !== null;
  }

  /** The cursor it is moved by; null while it has none (its lease is another's). */
  set cursor(cursor: Cursor | null) {
    this.#cursor = cursor;
  }

  /** Its lease is another's: nothing more is handed over until it is its own again, and the subscriber is told. */
  suspend(): void {
    const home = this.#home;
    if (this.#cursor === null) return;
    home.pump.remove(this.#cursor);
    this.#cursor.line = null;
    this.#cursor = null;
    try {
      const result: unknown = this.subscriber.suspend?.();
      if (result !== undefined) watchRejection(result, (error) => home.onFailed(this, error));
    } catch (error) {
      home.onFailed(this, error);
    }
  }

  setFilter(filter: Filter & { readonly within?: Filter | undefined }, after?: Position): Position {
    this.filter = compileFilter(filter, filter.within);
    const { pump, epoch } = this.#home;
    if (this.#cursor === null) return { epoch, offset: 0 };
    return { epoch, offset: pump.setFilter(this.#cursor, this.filter, after?.epoch === epoch ? after.offset : null) };
  }

  close(): Promise<void> {
    return this.end("unsubscribed");
  }

  /** Ends it for any reason; resolves when the subscriber's own `close` has. Idempotent. */
  end(reason: CloseReason): Promise<void> {
    if (this.#closing === null) {
      // Known before anything of the subscriber runs: its `close` may call this again.
      let finish: () => void = () => undefined;
      this.#closing = new Promise((resolve) => (finish = resolve));
      void this.#end(reason).then(finish);
    }
    return this.#closing;
  }

  /** Gives back what it holds, finished or not. Idempotent. */
  release(): Promise<void> {
    return this.durability?.release() ?? Promise.resolve();
  }

  get lease(): Lease | null {
    return this.durability?.lease ?? null;
  }

  onAcknowledged(saved: number | null): void {
    this.durability?.acknowledged(saved);
  }

  async #end(reason: CloseReason): Promise<void> {
    const home = this.#home;
    if (this.#cursor !== null) home.pump.remove(this.#cursor);
    home.onClosed(this, reason);
    try {
      await this.subscriber.close(reason);
    } catch (error) {
      home.onFailed(this, error);
    }
    await this.release();
    if (this.#cursor !== null) this.#cursor.line = null;
    home.onEnded(this);
  }
}
