import type { ClaimRequest } from "./delivery-store.ts";

/** What an engine knows of its endpoints. */
export interface Due {
  /** Cheap, and may be wrong about those that have nothing due; never about the others. */
  has(endpointId: string): boolean;
  /** Claims the first that is due; false when there is none. */
  take(endpointId: string): boolean;
}

interface Turn {
  readonly endpointId: string;
  earlier: Turn | null;
  later: Turn | null;
}

/**
 * Endpoints in the order in which they come next. Who had a turn comes last, so that a small limit reaches everybody by and
 * by; only as many are looked at as it takes to reach the limit.
 */
export class Turns {
  readonly #turns = new Map<string, Turn>();
  #first: Turn | null = null;
  #last: Turn | null = null;

  /** Does nothing for one that is there. */
  add(endpointId: string): void {
    if (this.#turns.has(endpointId)) return;
    const turn = { endpointId, earlier: null, later: null };
    this.#turns.set(endpointId, turn);
    this.#append(turn);
  }

  remove(endpointId: string): void {
    const turn = this.#turns.get(endpointId);
    if (turn === undefined) return;
    this.#turns.delete(endpointId);
    this.#unlink(turn);
  }

  /** Claims what is due, one of each endpoint in turn: a long backlog takes only what the others leave. */
  take(
    { limit, perEndpoint, endpointIds }: Pick<ClaimRequest, "limit" | "perEndpoint" | "endpointIds">,
    due: Due,
  ): void {
    let left = limit;
    let able: { readonly turn: Turn; room: number }[] = [];
    const seen: Turn[] = [];
    for (const turn of endpointIds === undefined ? this.#inOrder() : this.#of(endpointIds)) {
      if (left <= 0) return this.#toTheEnd(seen);
      seen.push(turn);
      const { endpointId } = turn;
      const room = due.has(endpointId) ? perEndpoint(endpointId) : 0;
      if (room <= 0 || !due.take(endpointId)) continue;
      left -= 1;
      able.push({ turn, room: room - 1 });
    }
    while (able.length > 0) {
      const still: typeof able = [];
      for (const [index, each] of able.entries()) {
        if (left <= 0) return this.#toTheEnd(able.slice(0, index).map(({ turn }) => turn));
        if (each.room <= 0 || !due.take(each.turn.endpointId)) continue;
        left -= 1;
        each.room -= 1;
        still.push(each);
      }
      able = still;
    }
  }

  *#inOrder(): Iterable<Turn> {
    for (let turn = this.#first; turn !== null; turn = turn.later) yield turn;
  }

  *#of(endpointIds: Iterable<string>): Iterable<Turn> {
    for (const endpointId of endpointIds) {
      const turn = this.#turns.get(endpointId);
      if (turn !== undefined) yield turn;
    }
  }

  #toTheEnd(turns: readonly Turn[]): void {
    for (const turn of turns) {
      if (turn === this.#last) continue;
      this.#unlink(turn);
      this.#append(turn);
    }
  }

  #append(turn: Turn): void {
    turn.earlier = this.#last;
    turn.later = null;
    if (this.#last === null) this.#first = turn;
    else this.#last.later = turn;
    this.#last = turn;
  }

  #unlink({ earlier, later }: Turn): void {
    if (earlier === null) this.#first = later;
    else earlier.later = later;
    if (later === null) this.#last = earlier;
    else later.earlier = earlier;
  }
}
