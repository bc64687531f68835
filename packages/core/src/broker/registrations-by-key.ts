import type { Registration } from "./registration.ts";

/** Registrations by what was passed to `subscribe`. One function may be subscribed several times; hardly any is. */
export class RegistrationsByKey {
  // A Set for each would cost every client of a gateway a quarter of a kilobyte.
  readonly #known = new Map<unknown, Registration | Set<Registration>>();

  add(registration: Registration): void {
    const { key } = registration;
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, registration);
    else if (known instanceof Set) known.add(registration);
    else this.#known.set(key, new Set([known, registration]));
  }

  delete(registration: Registration): void {
    const { key } = registration;
    const known = this.#known.get(key);
    if (known instanceof Set) known.delete(registration);
    if (known === registration || (known instanceof Set && known.size === 0)) this.#known.delete(key);
  }

  of(key: unknown): readonly Registration[] {
    const known = this.#known.get(key);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }
}
