import { InvalidOptionError, StarcastError } from "../errors.ts";
import type { DrainPlan, Part } from "./any-broker.ts";

/** What is registered with a broker, by name, and ends with it in a fixed order. */
export class Parts {
  readonly #parts = new Map<string, Part>();

  /**
   * Throws `name_taken` when there is one of that name, and `InvalidOptionError` for what could not be drained later; the
   * returned function unregisters it.
   */
  add(part: Part): () => void {
    if (!isPart(part)) throw new InvalidOptionError({ option: "part", expected: expectedPart, received: part });
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

  /** Everything refuses what is new; gives what a part said that could not. */
  stop(): readonly string[] {
    return [...this.#parts.values()].flatMap((part) => {
      try {
        part.stop();
        return [];
      } catch (error) {
        return [failed(part, error)];
      }
    });
  }

  /** Drains the parts of one stage side by side. One that fails says so in what was left undone. */
  drain(stage: Part["stage"], plan: DrainPlan): Draining {
    const parts = [...this.#parts.values()].filter((part) => part.stage === stage);
    const undone = new Map<Part, readonly string[]>();
    const drainOne = async (part: Part): Promise<void> => {
      try {
        undone.set(part, await part.drain(plan));
      } catch (error) {
        undone.set(part, [failed(part, error)]);
      }
    };
    return {
      ended: Promise.all(parts.map(drainOne)),
      undone: () => parts.flatMap((part) => undone.get(part) ?? []),
      unended: () => parts.filter((part) => !undone.has(part)).map(({ name }) => name),
    };
  }
}

/** Parts on their way to their end. */
export interface Draining {
  /** Resolves when all have ended; never rejects. */
  readonly ended: Promise<unknown>;
  /** What those that ended left undone. */
  undone(): readonly string[];
  /** Names of those that have not ended yet. */
  unended(): readonly string[];
}

const stages: readonly unknown[] = ["clients", "publishers", "rest"] satisfies readonly Part["stage"][];

const expectedPart = 'a Part: a name, a stage ("clients", "publishers" or "rest"), stop and drain';

// Its size is asked later: a getter of a part that is just being made need not answer yet.
function isPart(value: unknown): value is Part {
  if (typeof value !== "object" || value === null) return false;
  const { name, stage, stop, drain }: { readonly [Key in keyof Part]?: unknown } = value;
  const hasMethods = typeof stop === "function" && typeof drain === "function";
  return typeof name === "string" && name !== "" && stages.includes(stage) && hasMethods;
}

function failed(part: Part, error: unknown): string {
  return `${part.name}: ${error instanceof Error ? error.message : String(error)}`;
}
