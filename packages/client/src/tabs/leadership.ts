/** As much of `navigator.locks` as is used. */
export interface LockManagerLike {
  request(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    held: () => Promise<void>,
  ): Promise<unknown>;
}

export interface LeadershipOwner {
  /** At most one tab of the origin leads; MUST stop when told. */
  onLead(): void;
  /** Another tab has taken it, since this one did not answer. */
  onTaken(): void;
}

/** One tab's turn at leading its origin, by a Web Lock: the browser gives it on when the tab is gone, however it went. */
export class Leadership {
  readonly #locks: LockManagerLike;
  readonly #name: string;
  readonly #owner: LeadershipOwner;
  /** Ends the turn that is waited for, or held. */
  #leave: () => void = () => undefined;

  constructor(locks: LockManagerLike, name: string, owner: LeadershipOwner) {
    this.#locks = locks;
    this.#name = name;
    this.#owner = owner;
  }

  /** Leads as soon as nobody else does; with `steal`, at once. */
  queue(steal = false): void {
    this.leave();
    const waiting = new AbortController();
    let isLeft = false;
    let isHeld = false;
    let release: () => void = () => undefined;
    this.#leave = () => {
      isLeft = true;
      waiting.abort();
      release();
    };
    const held = (): Promise<void> =>
      new Promise((resolve) => {
        release = resolve;
        isHeld = true;
        if (isLeft) resolve();
        else this.#owner.onLead();
      });
    this.#locks.request(this.#name, steal ? { steal } : { signal: waiting.signal }, held).catch(() => {
      if (isLeft) return;
      if (isHeld) this.#owner.onTaken();
      // A page that may not use locks shares nothing, and does without.
      else this.#owner.onLead();
    });
  }

  /** Leads no longer, and does not wait to. Idempotent. */
  leave(): void {
    this.#leave();
  }
}
