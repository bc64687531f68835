/** Packet identifiers there are: 0 is none (MQTT 5, section 2.2.1). */
export const packetIdCount = 65_535;

/** The packet identifiers of one connection (what mqtt.js calls a `messageIdProvider`), for publications and for what mqtt.js asks: none is in use twice. */
export class PacketIds {
  readonly #taken = new Set<number>();
  #last = 0;

  /** The next one that is free; null when all are in use. */
  allocate(): number | null {
    if (this.#taken.size >= packetIdCount) return null;
    do this.#last = (this.#last % packetIdCount) + 1;
    while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    return this.#last;
  }

  getLastAllocated(): number | null {
    return this.#last === 0 ? null : this.#last;
  }

  register(id: number): boolean {
    if (this.#taken.has(id)) return false;
    this.#taken.add(id);
    this.#last = id;
    return true;
  }

  deallocate(id: number): void {
    this.#taken.delete(id);
  }

  clear(): void {
    this.#taken.clear();
  }
}
