import type { StarcastError } from "@starcast/core";
import type { PacketIds } from "./packet-ids.ts";
import { publicationRefused } from "./reason-codes.ts";

export type OnDone = (error: StarcastError | null) => void;

/** Publications of one connection that wait for their answers (MQTT 5, section 4.3), by packet identifier. */
export class Exchanges {
  readonly #ids: PacketIds;
  readonly #release: (id: number) => void;
  /** Who hears of the end, by what is to come next. */
  readonly #awaited: Readonly<Record<"puback" | "pubrec" | "pubcomp", Map<number, OnDone>>> = {
    puback: new Map(),
    pubrec: new Map(),
    pubcomp: new Map(),
  };

  /** `release` sends the PUBREL of QoS 2. */
  constructor(ids: PacketIds, release: (id: number) => void) {
    this.#ids = ids;
    this.#release = release;
  }

  /** The packet identifier of a new one, or null when all are in use. */
  begin(qos: 1 | 2, onDone: OnDone): number | null {
    const id = this.#ids.allocate();
    if (id !== null) this.#awaited[qos === 1 ? "puback" : "pubrec"].set(id, onDone);
    return id;
  }

  /** False for an answer that breaks the protocol. One to nothing that was asked counts for nothing. */
  hear(kind: string, id: number, reasonCode: number): boolean {
    if (kind !== "puback" && kind !== "pubrec" && kind !== "pubcomp") {
      // What answers a subscription; whatever the MQTT broker asks has identifiers of its own.
      return (kind !== "suback" && kind !== "unsuback") || !this.#isOpen(id);
    }
    const onDone = this.#awaited[kind].get(id);
    if (onDone === undefined) return this.#hearAgain(kind, id);
    this.#awaited[kind].delete(id);
    if (kind === "pubrec" && !isRefusal(reasonCode)) {
      this.#awaited.pubcomp.set(id, onDone);
      this.#release(id);
      return true;
    }
    this.#ids.deallocate(id);
    onDone(isRefusal(reasonCode) ? publicationRefused(reasonCode) : null);
    return true;
  }

  // An MQTT broker may repeat its PUBREC until it has the PUBREL.
  #hearAgain(kind: string, id: number): boolean {
    if (kind !== "pubrec" || !this.#awaited.pubcomp.has(id)) return !this.#isOpen(id);
    this.#release(id);
    return true;
  }

  #isOpen(id: number): boolean {
    return Object.values(this.#awaited).some((waiting) => waiting.has(id));
  }
}

// 0x10 is "no matching subscribers": as good as 0.
function isRefusal(reasonCode: number): boolean {
  return reasonCode !== 0 && reasonCode !== 0x10;
}
