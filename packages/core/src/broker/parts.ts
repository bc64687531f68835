import { StarcastError } from "../errors.ts";
import type { DrainPlan, Part } from "./any-broker.ts";

/** What is registered with a broker, by name, and ends with it in a fixed order. */
export class Parts {
  readonly #parts = new Map<string, Part>();

  /** Throws `name_taken` when there is one of that name; the returned function unregisters it. */
  add(part: Part): () => void {
    if (this.#parts.has(part.name)) {
      throw new StarcastError(
        "name_taken",
        `Expected a name that is not taken, got \`${part.name}\`: give the second one another \`name\``,
      );
    }
    this.#parts.set(part.name, part);
    return () => {
      if (this.#parts.get(part.name) === part) this.#parts.delete(part.name);
    };
  }

  get count(): number {
    return this.#parts.size;
  }

  /** Connections of all parts. */
  get clients(): number {
    let clients = 0;
    for (const part of this.#parts.values()) if (part.stage === "clients") clients += part.size;
    return clients;
  }

  /** Everything refuses what is new. */
  stop(): void {
    for (const part of this.#parts.values()) part.stop();
  }

  /** Drains the parts of one stage side by side; resolves with what they left undone. One that fails says so there. */
  async drain(stage: Part["stage"], plan: DrainPlan): Promise<readonly string[]> {
    const parts = [...this.#parts.values()].filter((part) => part.stage === stage);
    const results = await Promise.allSettled(parts.map((part) => part.drain(plan)));
    return results.flatMap((result, index) => {
      if (result.status === "fulfilled") return result.value;
      const reason: unknown = result.reason;
      return [`${parts[index]?.name ?? stage}: ${reason instanceof Error ? reason.message : String(reason)}`];
    });
  }
}
