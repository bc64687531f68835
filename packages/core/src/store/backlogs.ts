import type { ClaimRequest } from "./delivery-store.ts";
import { EndpointBacklog, type Backlogged } from "./endpoint-backlog.ts";
import { Turns } from "./turns.ts";

/** The backlogs of all endpoints: each by its id, and in turn. */
export class Backlogs<Item extends Backlogged> {
  readonly #backlogs = new Map<string, EndpointBacklog<Item>>();
  readonly #turns = new Turns();

  get all(): ReadonlyMap<string, EndpointBacklog<Item>> {
    return this.#backlogs;
  }

  get(endpointId: string): EndpointBacklog<Item> | undefined {
    return this.#backlogs.get(endpointId);
  }

  /** Made when there is none. */
  of(endpointId: string): EndpointBacklog<Item> {
    const known = this.#backlogs.get(endpointId);
    if (known !== undefined) return known;
    const backlog = new EndpointBacklog<Item>(endpointId);
    this.#backlogs.set(endpointId, backlog);
    this.#turns.add(endpointId);
    return backlog;
  }

  remove(endpointId: string): void {
    this.#backlogs.delete(endpointId);
    this.#turns.remove(endpointId);
  }

  /** The longest one, where it is more than twice as long as that of one of these endpoints. */
  farLonger(than: readonly { readonly endpointId: string }[]): EndpointBacklog<Item> | undefined {
    let longest: EndpointBacklog<Item> | undefined;
    for (const backlog of this.#backlogs.values())
      if (backlog.unfinished > (longest?.unfinished ?? 0)) longest = backlog;
    const half = (longest?.unfinished ?? 0) / 2;
    return than.some(({ endpointId }) => (this.get(endpointId)?.unfinished ?? 0) < half) ? longest : undefined;
  }

  /** Hands over what is due; `take` MUST move the delivery on, so that it is the first due no more. */
  takeDue(request: Omit<ClaimRequest, "leaseMs">, take: (delivery: Item) => void): void {
    const firstDue = (endpointId: string): Item | undefined => this.#backlogs.get(endpointId)?.firstDue(request.now);
    this.#turns.take(request, {
      has: (endpointId) => firstDue(endpointId) !== undefined,
      take: (endpointId) => {
        const delivery = firstDue(endpointId);
        if (delivery !== undefined) take(delivery);
        return delivery !== undefined;
      },
    });
  }

  /** When the earliest unfinished delivery of these endpoints is due, or its lease ends; null when there is none. */
  nextDueAt(perEndpoint: (endpointId: string) => boolean): number | null {
    let earliest: number | null = null;
    for (const { endpointId, nextDueAt } of this.#backlogs.values()) {
      if (nextDueAt === null || (earliest !== null && nextDueAt >= earliest) || !perEndpoint(endpointId)) continue;
      earliest = nextDueAt;
    }
    return earliest;
  }
}
