import { LineFile } from "./line-file.ts";

/** A publication that was acknowledged to its publisher, and is not acknowledged by its receiver. */
export interface Owed {
  readonly topic: string;
  readonly payload: string;
}

/** Lines after which the file is written anew with what is owed alone. */
const maxLines = 10_000;

/**
 * What an MQTT broker owes its receiver, in a file: a publication is written down before it is acknowledged and struck out
 * when the receiver has it, so that an MQTT broker that is killed owes it still.
 */
export class MqttDebts {
  readonly #lines: LineFile;
  readonly #topics: string;
  /** By payload, which holds the id of an event; a publication that comes again is no second debt. */
  readonly #owed = new Map<string, Owed & { readonly number: number }>();
  #number = 0;

  /** Keeps books of the topics that begin so, those the receiver follows. */
  constructor(path: string, topics: string) {
    this.#lines = new LineFile(path);
    this.#topics = topics;
    const owed = new Map<number, Owed>();
    for (const line of this.#lines.read()) {
      const entry = JSON.parse(line) as number | (Owed & { readonly number: number });
      if (typeof entry === "number") owed.delete(entry);
      else owed.set(entry.number, entry);
    }
    this.#lines.rewrite([]);
    for (const each of owed.values()) this.add(each);
  }

  /** Oldest first. */
  get owed(): readonly Owed[] {
    return [...this.#owed.values()];
  }

  add({ topic, payload }: Owed): void {
    if (!topic.startsWith(this.#topics) || this.#owed.has(payload)) return;
    this.#number += 1;
    const debt = { number: this.#number, topic, payload };
    this.#owed.set(payload, debt);
    this.#lines.append(JSON.stringify(debt));
  }

  /** The receiver has it. */
  strike(payload: string): void {
    const debt = this.#owed.get(payload);
    if (debt === undefined) return;
    this.#owed.delete(payload);
    this.#lines.append(String(debt.number));
    if (this.#lines.count > maxLines) this.#lines.rewrite(this.#entries());
  }

  close(): void {
    this.#lines.close();
  }

  #entries(): readonly string[] {
    return [...this.#owed.values()].map((debt) => JSON.stringify(debt));
  }
}
