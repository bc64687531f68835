import type { AnyBroker, Claim, DrainPlan, Subscription, Timer } from "@starcast/core";
import type { AttemptTools, Tried } from "./attempt.ts";
import { CatchUps } from "./catch-ups.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Deliveries } from "./deliveries.ts";
import type { Verdict } from "./delivery.ts";
import { DeliveryLoop } from "./delivery-loop.ts";
import { EndpointRecords } from "./endpoint-records.ts";
import { EndpointRegistry } from "./endpoint-registry.ts";
import { EndpointWatch } from "./endpoint-watch.ts";
import type { LiveEndpoint } from "./endpoint.ts";
import { Forgetter } from "./forgetter.ts";
import { HttpSender } from "./http-sender.ts";
import { insist } from "./insist.ts";
import { Intake } from "./intake.ts";
import type {} from "./moments.ts";
import { OtherProcesses } from "./other-processes.ts";
import {
  resolveWebhookDispatcherOptions,
  type ResolvedWebhookDispatcherOptions,
  type WebhookDispatcherOptions,
} from "./options.ts";
import { PayloadMaker } from "./payload.ts";

/** Endpoints whose idle connections are kept at once. */
const maxConnectedEndpoints = 1_000;

/** How often a drain looks whether the log has been taken in. */
const lookEveryMs = 20;

/**
 * Posts every event of the broker, signed, to the endpoints that want it, and again until each has answered 2xx or was
 * given up. Live from construction; one endpoint never delays another. Ends with the broker.
 */
export class WebhookDispatcher {
  readonly endpoints: EndpointRegistry;
  readonly deliveries: Deliveries;
  readonly deadLetters: DeadLetters;
  readonly #broker: AnyBroker;
  readonly #options: ResolvedWebhookDispatcherOptions;
  readonly #records: EndpointRecords;
  readonly #sender: HttpSender;
  readonly #loop: DeliveryLoop;
  readonly #intake: Intake;
  readonly #watch: EndpointWatch;
  readonly #subscription: Subscription;
  readonly #unregister: () => void;
  readonly #closing = new AbortController();
  readonly #catchUps: CatchUps;
  readonly #forgetter: Forgetter;
  readonly #others: OtherProcesses;
  #ending: Promise<readonly string[]> | null = null;
  /** What still runs is ended: the earliest deadline that anybody gave has passed. */
  readonly #late = new AbortController();
  #hurry: { readonly deadline: number; readonly timer: Timer } | null = null;

  constructor(broker: AnyBroker, options: WebhookDispatcherOptions = {}) {
    const resolved = resolveWebhookDispatcherOptions(options);
    const { surroundings } = broker;
    const { unlocked, network, attempt, health } = resolved;
    this.#broker = broker;
    this.#options = resolved;
    this.#records = new EndpointRecords(broker, resolved, (id) => this.#endpointChanged(id));
    this.#sender = new HttpSender({
      ...attempt,
      ...network,
      allowedNetworks: unlocked.networks,
      clock: surroundings.clock,
      scheduler: surroundings.scheduler,
      maxEndpoints: maxConnectedEndpoints,
    });
    const tools: AttemptTools = {
      sender: this.#sender,
      payloads: new PayloadMaker(resolved.source),
      clock: surroundings.clock,
    };
    this.endpoints = new EndpointRegistry(broker, resolved, this.#records, tools);
    this.deliveries = new Deliveries(broker, this.#records, () => this.#loop.wake());
    this.deadLetters = new DeadLetters(this.deliveries);
    this.#watch = new EndpointWatch({
      broker,
      records: this.#records,
      disableAfterDays: health.disableAfterDays,
      name: resolved.name,
      onDisabled: (endpointId, reason) => this.#publishOutcome("webhook.endpoint.disabled", { endpointId, reason }),
    });
    this.#loop = new DeliveryLoop({
      broker,
      endpoints: this.#records,
      tools,
      options: resolved,
      onTried: (endpoint, claim, tried, verdict) => this.#tried(endpoint, claim, tried, verdict),
    });
    this.#forgetter = new Forgetter(broker, resolved.keepFinishedMs);
    this.#others = new OtherProcesses({ broker, records: this.#records, onMayBeDue: () => this.#loop.wake() });
    this.#catchUps = new CatchUps({
      broker,
      records: this.#records,
      signal: this.#closing.signal,
      onStored: () => this.#loop.wake(),
      between: (run) => this.#intake.between(run),
    });
    this.#intake = new Intake({
      broker,
      endpoints: this.#records,
      firstWaitMs: resolved.scheduleMs[0] ?? 0,
      onStored: (endpointIds) => this.#loop.wake(endpointIds),
    });
    this.#unregister = broker.register(this.#part());
    // Without a place yet: an endpoint may have been put, and events published, by a process that came before this one.
    this.#subscription = broker.attach(this.#intake, { name: resolved.name, from: "earliest" });
    void this.#start();
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#loop.inFlight;
  }

  /** Ends it before the broker does: what is under way may finish, the rest waits in the store. Idempotent. */
  async close(): Promise<void> {
    await this.#end({
      spreadMs: 0,
      deadline: this.#broker.surroundings.clock.now() + this.#options.attempt.deadlineMs,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // The claims need the endpoints even where another process holds the subscription.
  async #start(): Promise<void> {
    if (!(await this.#insist("load", () => this.#records.load()))) return;
    this.#loop.wake();
    this.#forgetter.start();
    this.#others.start();
    await this.#insist("seal", () => this.#records.seal());
  }

  #insist(operation: string, run: () => Promise<void>): Promise<boolean> {
    return insist(run, {
      scheduler: this.#broker.surroundings.scheduler,
      signal: this.#closing.signal,
      onFailed: (error) => this.#storeFailed(operation, error),
    });
  }

  #part(): Parameters<AnyBroker["register"]>[0] {
    const inFlight = (): number => this.#loop.inFlight;
    return {
      name: this.#options.name,
      stage: "publishers",
      get size() {
        return inFlight();
      },
      // What was published is still to be taken in: a publisher has nobody to refuse.
      stop: () => undefined,
      drain: (plan) => this.#end(plan),
    };
  }

  #tried(endpoint: LiveEndpoint, claim: Claim, { attempt, outcome }: Tried, verdict: Verdict | null): void {
    const { endpointId, event, attemptCount } = claim.delivery;
    const { category, status, tookMs } = attempt;
    this.#broker.observe({
      kind: "webhookAttempted",
      level: "debug",
      endpointId,
      eventId: event.id,
      attempt: attemptCount + 1,
      category,
      status,
      tookMs,
    });
    this.#watch.saw(endpoint, outcome);
    if (verdict?.kind !== "bury") return;
    const { reason } = verdict;
    this.#broker.observe({ kind: "webhookDeliveryDead", level: "warn", endpointId, eventId: event.id, reason });
    // An outcome that cannot be delivered must not become another outcome.
    if (!event.type.startsWith("webhook."))
      this.#publishOutcome("webhook.delivery.dead", { endpointId, eventId: event.id, reason });
  }

  #endpointChanged(id: string): void {
    const endpoint = this.#records.find(id);
    if (endpoint?.record.state.kind !== "active") this.#watch.forget(id);
    if (endpoint === undefined) this.#sender.forget(id);
    this.#loop.refresh(id);
    if (endpoint !== undefined) this.#catchUps.begin(endpoint);
  }

  #end(plan: DrainPlan): Promise<readonly string[]> {
    this.#endBy(plan.deadline);
    this.#ending ??= this.#drain();
    return this.#ending;
  }

  // The service may close the dispatcher, and the broker end sooner.
  #endBy(deadline: number): void {
    if (this.#late.signal.aborted || (this.#hurry !== null && this.#hurry.deadline <= deadline)) return;
    const { clock, scheduler } = this.#broker.surroundings;
    this.#hurry?.timer.cancel();
    const timer = scheduler.after(Math.max(deadline - clock.now(), 0), () => this.#late.abort(), {
      holdsProcess: true,
    });
    this.#hurry = { deadline, timer };
  }

  async #drain(): Promise<readonly string[]> {
    const { store } = this.#broker;
    await this.#takenIn();
    // What does not survive the process is worth a first attempt now; what does is tried after the restart.
    const isLost = store.log.durability === "memory";
    await Promise.race([this.#loop.finish({ tries: isLost }), aborted(this.#late.signal)]);
    this.#hurry?.timer.cancel();
    const cutOff = this.#loop.inFlight;
    this.#closing.abort();
    await this.#sender.close();
    await this.#loop.close();
    await Promise.all([
      this.#subscription.close(),
      this.#watch.idle(),
      this.#forgetter.close(),
      this.#others.close(),
      this.#catchUps.idle(),
    ]);
    this.#unregister();
    return this.#report(cutOff, isLost);
  }

  /** Resolves when every published event is stored as deliveries, or at the deadline. */
  async #takenIn(): Promise<void> {
    const { scheduler } = this.#broker.surroundings;
    const isTakenIn = (): boolean => {
      const { position } = this.#subscription;
      // Without a place another process has the subscription, and takes in.
      return this.#intake.isIdle && (position === null || position.offset >= this.#broker.position.offset);
    };
    while (!isTakenIn() && !this.#late.signal.aborted) {
      await new Promise<void>((resolve) => void scheduler.after(lookEveryMs, resolve, { holdsProcess: true }));
    }
  }

  async #report(cutOff: number, isLost: boolean): Promise<readonly string[]> {
    const { name } = this.#options;
    const undone = cutOff > 0 ? [`${name}: ${cutOff} attempts were cut off`] : [];
    const fate = isLost ? "are lost with the memory store" : "wait in the store";
    try {
      let pending = 0;
      let endpoints = 0;
      for (const { record } of this.#records.wanting) {
        const backlog = await this.#broker.store.deliveries.backlog(record.id);
        const unfinished = backlog.pending + backlog.attempting;
        pending += unfinished;
        if (unfinished > 0) endpoints += 1;
      }
      if (pending > 0) undone.push(`${name}: ${pending} deliveries to ${endpoints} endpoints ${fate}`);
    } catch (error) {
      this.#storeFailed("backlog", error);
      undone.push(`${name}: deliveries that could not be counted ${fate}`);
    }
    return undone;
  }

  #storeFailed(operation: string, error: unknown): void {
    this.#broker.observe({ kind: "webhookStoreFailed", level: "warn", operation, error });
  }

  #publishOutcome(type: string, data: object): void {
    if (!this.#options.publishOutcomes) return;
    // A refusal is told to the observer by the broker.
    this.#broker.publishAny(type, data).catch(() => undefined);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
