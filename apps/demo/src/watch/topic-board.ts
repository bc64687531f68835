/** Different topics that are told apart; the rest is counted as one. */
export const maxTopics = 40;

/** Newest topics that are shown. */
const maxLatest = 5;

/** The MQTT topics a device has seen, by the levels that name the type of event, and the newest in full. */
export class TopicBoard {
  readonly #counts = new Map<string, number>();
  #latest: readonly { readonly topic: string; readonly id: string }[] = [];

  saw(topic: string, id: string): void {
    const group = topic.split("/").slice(0, 4).join("/");
    const name = this.#counts.has(group) || this.#counts.size < maxTopics ? group : "other topics";
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#latest = [{ topic, id }, ...this.#latest].slice(0, maxLatest);
  }

  report(): {
    readonly topics: readonly { readonly topic: string; readonly count: number }[];
    readonly latest: readonly { readonly topic: string; readonly id: string }[];
  } {
    const topics = [...this.#counts].map(([topic, count]) => ({ topic, count }));
    return { topics: topics.toSorted((a, b) => b.count - a.count), latest: this.#latest };
  }
}
