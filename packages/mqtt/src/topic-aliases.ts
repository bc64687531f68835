/** Aliases in use, however many more the MQTT broker allows: the names they stand for are kept in memory. */
export const maxTopicAliases = 1_000;

/** How a topic is said: by its number, with its name when the MQTT broker does not know the number for it yet. */
export interface TopicAlias {
  readonly number: number;
  readonly isNew: boolean;
}

/** The topic aliases of one connection (MQTT 5, section 3.3.2.3.4): the topics used last have one. */
export class TopicAliases {
  readonly #limit: number;
  /** The one used last is at the end. */
  readonly #numbers = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = Math.min(limit, maxTopicAliases);
  }

  /** Null when the MQTT broker allows none. */
  of(topic: string): TopicAlias | null {
    if (this.#limit === 0) return null;
    const known = this.#numbers.get(topic);
    const number = known ?? this.#free();
    this.#numbers.delete(topic);
    this.#numbers.set(topic, number);
    return { number, isNew: known === undefined };
  }

  #free(): number {
    const size = this.#numbers.size;
    if (size < this.#limit) return size + 1;
    const [[oldest, number] = ["", 0]] = this.#numbers;
    this.#numbers.delete(oldest);
    return number;
  }
}
