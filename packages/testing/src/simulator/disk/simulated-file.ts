import type { SeededRandom } from "../../seeded-random.ts";

/** What reaches the platter at once. */
const sectorBytes = 512;

/** An append-only file behind a write cache: what was not synced is there for every process, and at risk in a power cut. */
export class SimulatedFile {
  #bytes = new Uint8Array(4_096);
  #length = 0;
  #synced = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy. */
  read(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array((this.#length + bytes.length) * 2);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Takes the end back. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
    this.#synced = Math.min(this.#synced, length);
  }

  sync(): void {
    this.#synced = this.#length;
  }

  /** Of what was not synced any sectors may be lost, whatever their order; those read as zeros, or are not there at all. */
  powerCut(random: SeededRandom): void {
    const length = random.integer(this.#synced, this.#length);
    for (let start = this.#synced; start < length; start = sectorEnd(start))
      if (random.chance(0.3)) this.#bytes.fill(0, start, Math.min(sectorEnd(start), length));
    this.#length = length;
    this.#synced = length;
  }
}

function sectorEnd(at: number): number {
  return (Math.floor(at / sectorBytes) + 1) * sectorBytes;
}
