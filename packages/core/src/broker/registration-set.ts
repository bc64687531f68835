import type { Registration } from "./registration.ts";

/** Registrations, found by what was passed to `subscribe`. One function may be subscribed several times; hardly any is. */
export class RegistrationSet {
  // A Set for each would cost every client of a gateway a quarter of a kilobyte.
  readonly #byKey = new Map<unknown, Registration | Set<Registration>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): IterableIterator<Registration> {
    for (const known of this.#byKey.values()) {
      if (known instanceof Set) yield* known;
      else yield known;
    }
  }

  add(registration: Registration): void {
    const { key } = registration;
    const known = this.#byKey.get(key);
    this.#size += 1;
    if (known === undefined) this.#byKey.set(key, registration);
    else if (known instanceof Set) known.add(registration);
    else this.#byKey.set(key, new Set([known, registration]));
  }

  /** What is in it. */
  delete(registration: Registration): void {
    const { key } = registration;
    const known = this.#byKey.get(key);
    this.#size -= 1;
    if (known instanceof Set) known.delete(registration);
    if (known === registration || (known instanceof Set && known.size === 0)) this.#byKey.delete(key);
  }

  of(key: unknown): readonly Registration[] {
    const known = this.#byKey.get(key);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }
}
