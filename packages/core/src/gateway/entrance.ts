import type { AnyBroker } from "../broker/any-broker.ts";
import type { Clock } from "../clock.ts";
import type { SubscribeOptions } from "../broker/subscription.ts";
import { InvalidOptionError, StarcastError, isStarcastError } from "../errors.ts";
import { compileFilter } from "../pump/filter.ts";
import { steadyClock } from "../steady-clock.ts";
import type { Seat } from "./admission.ts";
import { readAskedFilter } from "./asked-filter.ts";
import { clientAddress } from "./client-address.ts";
import type { ResolvedGatewayOptions } from "./gateway-options.ts";
import { checkGrant, grantedFilter, type Grant } from "./grant.ts";
import { judgeHost, judgeOrigin } from "./origin.ts";
import { reject, type Rejected } from "./rejection.ts";
import { readResumePoint } from "./resume-point.ts";
import { Revocations } from "./revocations.ts";
import { Tally } from "./tally.ts";
import { visitorOf, type Visit, type Visitor } from "./visitor.ts";

/** Who was let in: what to subscribe with, and the seat to give back when the connection is over. */
export interface Accepted {
  readonly kind: "accepted";
  readonly clientId: string;
  readonly grant: Grant;
  /** For `broker.attach`: what was asked for, within what is granted, from where. */
  readonly subscribe: SubscribeOptions;
  /** MUST be left when the connection is over; leaving twice does nothing. */
  readonly seat: Seat;
  /** How many revocations there had been when it began to be judged. */
  readonly revocations: number;
}

export type Decision = Accepted | Rejected;

/**
 * Who is let in, in one order for both gateways: Host, Origin, caps, `authorize` within its time, the cap per identity,
 * the filter, the resume point.
 */
export class Entrance {
  /** Counts and tells who was let in and who was not. */
  readonly tally: Tally;
  readonly #broker: AnyBroker;
  readonly #gateway: string;
  readonly #options: ResolvedGatewayOptions;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  #isStopped = false;
  #isProxyTold = false;

  /** `gateway` names it to the observer. */
  constructor(broker: AnyBroker, gateway: string, options: ResolvedGatewayOptions) {
    this.#broker = broker;
    this.#gateway = gateway;
    this.#options = options;
    this.#revocations = new Revocations(options.authorizeTimeoutMs);
    this.#clock = steadyClock(broker.surroundings.clock);
    this.tally = new Tally(broker, gateway);
  }

  /** From now on everybody is refused with 503. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Judges a request. Never rejects; whoever was accepted has a seat that must be left. */
  async decide(visit: Visit): Promise<Decision> {
    const decision = await this.#decide(visit);
    if (decision.kind === "rejected") this.tally.refused(decision);
    return decision;
  }

  /** What is granted to this identity by whoever is judging right now is not valid any more. Throws `InvalidOptionError`. */
  revoke(identity: string): void {
    if (typeof identity !== "string" || identity === "")
      throw new InvalidOptionError({
        option: "identity",
        expected: "an identity that was granted",
        received: identity,
      });
    this.#revocations.add(identity, this.#clock.now());
  }

  /** Why it does not hold any more that somebody was let in, if so; MUST be asked in the call that makes the connection. */
  withdrawn({ grant, revocations }: Accepted): "draining" | "revoked" | null {
    if (this.#isStopped) return "draining";
    return this.#revocations.isRevokedSince(grant.identity, revocations) ? "revoked" : null;
  }

  /** Judges the new token of a connected client: a grant for the same identity, or null. Never rejects. */
  async renew(visit: Visit, token: string, identity: string | null): Promise<Grant | null> {
    const visitor = visitorOf(visit, this.#addressOf(visit).address, token);
    const judged = visitor === null ? reject("bad_request") : await this.#authorize(visitor);
    if (!("kind" in judged)) return judged.identity === identity ? judged : null;
    this.tally.refused(judged);
    return null;
  }

  async #decide(visit: Visit): Promise<Decision> {
    if (this.#isStopped) return reject("draining");
    const objection = this.#objectionTo(visit);
    if (objection !== null) return reject(objection.code, objection.message);
    const { address, countedAs } = this.#addressOf(visit);
    const visitor = visitorOf(visit, address);
    if (visitor === null) return reject("bad_request", "Expected a path as the request target, got something else");
    const { admission, surroundings } = this.#broker;
    // Before `authorize`: what it costs is bounded by the same caps.
    const seat = admission.enter(countedAs, this.#options.connections, surroundings.clock.now());
    if (typeof seat === "string") return reject(seat);
    const decision = await this.#decideSeated(visitor, seat);
    if (decision.kind === "rejected") seat.leave();
    return decision;
  }

  async #decideSeated(visitor: Visitor, seat: Seat): Promise<Decision> {
    const revocations = this.#revocations.number;
    const grant = await this.#authorize(visitor);
    if ("kind" in grant) return grant;
    if (this.#isStopped) return reject("draining");
    const { admission } = this.#broker;
    const { connections, maxReplayEvents } = this.#options;
    if (!admission.identify(seat, grant.identity, connections.maxPerIdentity)) return reject("too_many_of_identity");
    const asked = readAskedFilter(visitor.url.searchParams);
    const within = grantedFilter(grant);
    try {
      compileFilter(asked, within);
    } catch (error) {
      // The grant was compiled before: what is wrong was asked for.
      return reject("invalid_filter", error instanceof Error ? error.message : undefined);
    }
    const from = readResumePoint({
      lastEventId: visitor.headers.get("last-event-id"),
      query: visitor.url.searchParams,
    });
    const { types, subjects } = asked;
    const subscribe = { types, subjects, within, from, maxReplayEvents: grant.replayEvents ?? maxReplayEvents };
    return { kind: "accepted", clientId: this.#makeClientId(), grant, subscribe, seat, revocations };
  }

  #objectionTo({ headers, isLoopbackListener, transport }: Visit): ReturnType<typeof judgeHost> {
    const { allowedHosts, allowedOrigins } = this.#options;
    const host = headers.get("host");
    const origin = headers.get("origin");
    const isSameOriginFetch = transport === "sse" && headers.get("sec-fetch-site") === "same-origin";
    const hasCookies = headers.get("cookie") !== null && !isSameOriginFetch;
    return (
      judgeHost({ host, isLoopbackListener, allowedHosts }) ?? judgeOrigin({ origin, host, hasCookies, allowedOrigins })
    );
  }

  #addressOf({ peerAddress, headers }: Visit): ReturnType<typeof clientAddress> {
    const found = clientAddress(peerAddress, headers.get("x-forwarded-for"), this.#options.trustedProxies);
    if (found.isProxySuspected && !this.#isProxyTold) {
      this.#isProxyTold = true;
      const message =
        "Clients come from a private address, which looks like a proxy: connections are not capped per address until the `trustedProxies` option names it (`[]` if there is none)";
      this.#broker.observe({ kind: "proxySuspected", level: "warn", gateway: this.#gateway, message });
    }
    return found;
  }

  async #authorize(visitor: Visitor): Promise<Grant | Rejected> {
    const { authorize, authorizeTimeoutMs } = this.#options;
    try {
      const answer = authorize(visitor);
      const grant = isThenable(answer) ? await this.#within(authorizeTimeoutMs, answer) : answer;
      return grant === null ? reject("not_authorized") : checkGrant(grant);
    } catch (error) {
      if (isStarcastError(error, "timed_out")) return reject("authorize_timed_out");
      if (isStarcastError(error, "not_authorized")) return reject("not_authorized");
      this.#broker.observe({ kind: "authorizeFailed", level: "warn", gateway: this.#gateway, error });
      return reject("authorize_failed");
    }
  }

  #within<Value>(ms: number, work: PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const isLate = (): void =>
        reject(new StarcastError("timed_out", `Expected \`authorize\` to answer within ${ms} ms (authorizeTimeoutMs)`));
      const timer = this.#broker.surroundings.scheduler.after(ms, isLate);
      // Whatever kind of promise it is: a hostile `then` cannot throw at the gateway.
      Promise.resolve(work)
        .finally(() => timer.cancel())
        .then(resolve, reject);
    });
  }

  // Names a connection to people and logs; nothing is granted by knowing it.
  #makeClientId(): string {
    const { random } = this.#broker.surroundings;
    const part = (): string =>
      Math.floor(random.next() * 0x1_0000_0000)
        .toString(36)
        .padStart(7, "0");
    // Joined by `+` it would be kept as three strings.
    return [part(), part()].join("");
  }
}

function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
