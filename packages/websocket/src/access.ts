import type { Filter, Position, Subscriber, Subscription } from "@starcast/core";
import { grantedFilter, readPlace, type Grant, type Visit } from "@starcast/core/gateway";
import type { ClientOperation } from "@starcast/core/wire";
import type { ConnectionHost } from "./connection-host.ts";

/** What became of a client's wish. */
export type Change =
  /** The filter holds from here on. */
  | { readonly kind: "changed"; readonly position: Position | null }
  /** It begins anew at another place, which its next line will tell. */
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly code: RefusalCode }
  /** There was no room to begin anew: the connection has to end. */
  | { readonly kind: "lost" };

export type RefusalCode = "invalid_filter" | "not_expiring" | "not_authorized" | "busy";

/** What one client receives: what it asked for, within what its grant allows, by one subscription. */
export class Access {
  readonly #host: ConnectionHost;
  readonly #subscriber: Subscriber;
  /** For judging a new token; null when the grant does not end. */
  readonly #visit: Visit | null;
  #grant: Grant;
  #asked: Filter;
  #subscription: Subscription | null = null;
  #isRenewing = false;

  constructor(
    host: ConnectionHost,
    subscriber: Subscriber,
    spec: { readonly grant: Grant; readonly asked: Filter; readonly visit: Visit | null },
  ) {
    this.#host = host;
    this.#subscriber = subscriber;
    this.#grant = spec.grant;
    this.#asked = spec.asked;
    this.#visit = spec.visit;
  }

  /** What was asked for last. */
  get asked(): Filter {
    return this.#asked;
  }

  /** When the grant ends; `Infinity` when it does not. */
  get expiresAt(): number {
    return this.#grant.expiresAt ?? Infinity;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  /** Another filter; with `after`, from another place: judged there, and told of gaps, as when the client connected. */
  subscribe({ types, subjects, after }: ClientOperation & { readonly op: "subscribe" }): Change {
    const asked: Filter = { types, subjects };
    const within = grantedFilter(this.#grant);
    // Its place is being looked for.
    if (this.#subscription?.position === null) return refused("busy");
    if (!this.#host.isFilter(asked, within)) return refused("invalid_filter");
    this.#asked = asked;
    if (after === undefined) return this.#refilter();
    this.end();
    const maxReplayEvents = this.#grant.replayEvents ?? this.#host.options.gateway.maxReplayEvents;
    const subscription = this.#host.attach(this.#subscriber, {
      ...asked,
      within,
      from: readPlace(after),
      maxReplayEvents,
    });
    if (subscription === null) return { kind: "lost" };
    this.#subscription = subscription;
    return { kind: "moved" };
  }

  /** A new token for the grant that ends; its filter is then narrowed or widened to the new grant. Never rejects. */
  async renew(token: string): Promise<Change> {
    // A grant that does not end has nothing to renew; and each question costs the service an answer.
    if (this.#visit === null) return refused("not_expiring");
    if (this.#isRenewing) return refused("busy");
    this.#isRenewing = true;
    const grant = await this.#host.renew(this.#visit, token, this.#grant.identity);
    this.#isRenewing = false;
    if (grant === null) return refused("not_authorized");
    this.#grant = grant;
    return this.#refilter();
  }

  /** Nothing more is received. Idempotent. */
  end(): void {
    const subscription = this.#subscription;
    this.#subscription = null;
    // Its promise is that of the subscriber's own `close`, which has nothing to wait for.
    if (subscription !== null) void subscription.close();
  }

  #refilter(): Change {
    const subscription = this.#subscription;
    if (subscription === null) return { kind: "moved" };
    const isPlaced = subscription.position !== null;
    const position = subscription.setFilter({ ...this.#asked, within: grantedFilter(this.#grant) });
    return { kind: "changed", position: isPlaced ? position : null };
  }
}

/** What a client asked for when it came; most ask for nothing, and share it. */
export function askedIn({ types, subjects }: Filter): Filter {
  return types === undefined && subjects === undefined ? nothingAsked : { types, subjects };
}

const nothingAsked: Filter = Object.freeze({});

function refused(code: RefusalCode): Change {
  return { kind: "refused", code };
}
