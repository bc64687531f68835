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

/**
 * Who receives: what it asked for last, within what its grant allows, by one subscription. The connection itself: an
 * object more per client is memory more per client.
 */
export interface Recipient extends Subscriber {
  grant: Grant;
  asked: Filter;
  subscription: Subscription | null;
  /** Null when the grant does not end. */
  readonly renewal: Renewal | null;
}

/** What is kept of a client whose grant ends. */
export interface Renewal {
  /** For judging a new token. */
  readonly visit: Visit;
  isUnderWay: boolean;
}

/** Another filter; with `after`, from another place: judged there, and told of gaps, as when the client connected. */
export function askAnew(
  host: ConnectionHost,
  recipient: Recipient,
  { types, subjects, after }: ClientOperation & { readonly op: "subscribe" },
): Change {
  const asked: Filter = { types, subjects };
  const within = grantedFilter(recipient.grant);
  // Its place is being looked for.
  if (recipient.subscription?.position === null) return refused("busy");
  if (!host.isFilter(asked, within)) return refused("invalid_filter");
  recipient.asked = asked;
  if (after === undefined) return refilter(recipient);
  endSubscription(recipient);
  const maxReplayEvents = recipient.grant.replayEvents ?? host.options.gateway.maxReplayEvents;
  const subscription = host.attach(recipient, { ...asked, within, from: readPlace(after), maxReplayEvents });
  if (subscription === null) return { kind: "lost" };
  recipient.subscription = subscription;
  return { kind: "moved" };
}

/** A new token for the grant that ends; its filter is then narrowed or widened to the new grant. Never rejects. */
export async function renewGrant(host: ConnectionHost, recipient: Recipient, token: string): Promise<Change> {
  const { renewal } = recipient;
  // A grant that does not end has nothing to renew; and each question costs the service an answer.
  if (renewal === null) return refused("not_expiring");
  if (renewal.isUnderWay) return refused("busy");
  renewal.isUnderWay = true;
  const grant = await host.renew(renewal.visit, token, recipient.grant.identity);
  renewal.isUnderWay = false;
  if (grant === null) return refused("not_authorized");
  recipient.grant = grant;
  return refilter(recipient);
}

/** Nothing more is received. Idempotent. */
export function endSubscription(recipient: Recipient): void {
  const { subscription } = recipient;
  recipient.subscription = null;
  // Its promise is that of the subscriber's own `close`, which has nothing to wait for.
  if (subscription !== null) void subscription.close();
}

/** What a client asked for when it came; most ask for nothing, and share it. */
export function askedIn({ types, subjects }: Filter): Filter {
  return types === undefined && subjects === undefined ? nothingAsked : { types, subjects };
}

const nothingAsked: Filter = Object.freeze({});

function refilter({ subscription, asked, grant }: Recipient): Change {
  if (subscription === null) return { kind: "moved" };
  const isPlaced = subscription.position !== null;
  const position = subscription.setFilter({ ...asked, within: grantedFilter(grant) });
  return { kind: "changed", position: isPlaced ? position : null };
}

function refused(code: RefusalCode): Change {
  return { kind: "refused", code };
}
