/** Packet identifiers there are: 0 is none (MQTT 5, section 2.2.1). */
export const packetIdCount = 65_535;

/** The packet identifiers of one connection (what mqtt.js calls a `messageIdProvider`), for publications and for what mqtt.js asks: none is in use twice. */
export class PacketIds {
  /** 1 where the identifier is in use. */
  readonly #inUse = new Uint8Array(packetIdCount + 1);
  #count = 0;
  #last = 0;

  /** The next one that is free; null when all are in use. */
  allocate(): number | null {
    if (this.#count >= packetIdCount) return null;
    do this.#last = (this.#last % packetIdCount) + 1;
    while (this.#inUse[this.#last] === 1);
    this.#take(this.#last);
    return this.#last;
  }

  getLastAllocated(): number | null {
    return this.#last === 0 ? null : this.#last;
  }

  register(id: number): boolean {
    if (this.#inUse[id] !== 0) return false;
    this.#take(id);
    this.#last = id;
    return true;
  }

  deallocate(id: number): void {
    if (this.#inUse[id] !== 1) return;
    this.#inUse[id] = 0;
    this.#count -= 1;
  }

  clear(): void {
    this.#inUse.fill(0);
    this.#count = 0;
  }

  #take(id: number): void {
    this.#inUse[id] = 1;
    this.#count += 1;
  }
}
