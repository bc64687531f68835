import type { StarcastError } from "@starcast/core";
import type { PacketIds } from "./packet-ids.ts";
import { publicationRefused } from "./reason-codes.ts";

export type OnDone = (error: StarcastError | null) => void;

interface Exchange {
  readonly qos: 1 | 2;
  readonly onDone: OnDone;
  /** QoS 2: it was received, and may be forgotten there. */
  isReleased: boolean;
}

/** Publications of one connection that wait for their answers (MQTT 5, section 4.3), by packet identifier. */
export class Exchanges {
  readonly #ids: PacketIds;
  readonly #release: (id: number) => void;
  readonly #open = new Map<number, Exchange>();

  /** `release` sends the PUBREL of QoS 2. */
  constructor(ids: PacketIds, release: (id: number) => void) {
    this.#ids = ids;
    this.#release = release;
  }

  /** The packet identifier of a new one, or null when all are in use. */
  begin(qos: 1 | 2, onDone: OnDone): number | null {
    const id = this.#ids.allocate();
    if (id !== null) this.#open.set(id, { qos, onDone, isReleased: false });
    return id;
  }

  /** False for an answer that breaks the protocol. One to nothing that was asked counts for nothing. */
  hear(kind: string, id: number, reasonCode: number): boolean {
    const exchange = this.#open.get(id);
    if (exchange === undefined) return true;
    switch (kind) {
      case "puback":
        if (exchange.qos !== 1) return false;
        this.#end(id, exchange, reasonCode);
        return true;
      case "pubrec":
        if (exchange.qos !== 2) return false;
        if (isRefusal(reasonCode)) this.#end(id, exchange, reasonCode);
        else {
          exchange.isReleased = true;
          this.#release(id);
        }
        return true;
      case "pubcomp":
        if (!exchange.isReleased) return false;
        this.#end(id, exchange, reasonCode);
        return true;
      default:
        // What answers a subscription; whatever the MQTT broker asks has identifiers of its own.
        return kind !== "suback" && kind !== "unsuback";
    }
  }

  #end(id: number, { onDone }: Exchange, reasonCode: number): void {
    this.#open.delete(id);
    this.#ids.deallocate(id);
    onDone(isRefusal(reasonCode) ? publicationRefused(reasonCode) : null);
  }
}

// 0x10 is "no matching subscribers": as good as 0.
function isRefusal(reasonCode: number): boolean {
  return reasonCode !== 0 && reasonCode !== 0x10;
}
