import { isStarcastError, StarcastError, steadyClock, type Clock, type Surroundings, type Timer } from "@starcast/core";
import { BackOff, stableAfterMs } from "./back-off.ts";
import type { SessionMemory } from "./client-options.ts";
import type { ResolvedConnectionOptions } from "./connection-options.ts";
import type { Message } from "./message.ts";
import { MqttSession, type IncomingMessage, type SessionEnd, type SessionFacts } from "./mqtt-session.ts";
import type { Credentials, MqttTarget } from "./mqtt-url.ts";
import { checkCredentials } from "./options.ts";
import { MqttReasonError, type Remedy } from "./reason-codes.ts";

export interface ConnectionPlan {
  readonly target: MqttTarget;
  readonly options: ResolvedConnectionOptions;
  readonly clientId: string;
  readonly credentials: (() => Credentials | null | Promise<Credentials>) | null;
  /** What the MQTT broker keeps while this client is away. @default nothing */
  readonly memory?: SessionMemory | undefined;
  /** Options in use that only MQTT 5 can honour. */
  readonly needsVersion5: readonly string[];
  readonly surroundings: Surroundings;
}

export interface ConnectionHandlers {
  /** What the MQTT broker says when this connection breaks; asked before each attempt. */
  will(): Message | null;
  onOnline(session: MqttSession, facts: SessionFacts): void;
  /** After each attempt that failed and each session that ended. `retryInMs` is null when only other credentials can help. */
  onOffline(error: StarcastError, retryInMs: number | null): void;
  onMessage?(message: IncomingMessage): void;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "asking" }
  | { readonly kind: "dialling"; readonly session: MqttSession }
  | { readonly kind: "online"; readonly session: MqttSession; readonly since: number }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/** Keeps one session with an MQTT broker alive: versions, credentials, and the waits between attempts. */
export class MqttConnection {
  readonly #plan: ConnectionPlan;
  readonly #handlers: ConnectionHandlers;
  readonly #backOff: BackOff;
  readonly #clock: Clock;
  #state: State = { kind: "idle" };
  /** Good-byes that are being said. */
  #leaving: Promise<unknown> = Promise.resolve();
  #refused: Credentials | null | undefined;

  constructor(plan: ConnectionPlan, handlers: ConnectionHandlers) {
    this.#plan = plan;
    this.#handlers = handlers;
    this.#clock = steadyClock(plan.surroundings.clock);
    this.#backOff = new BackOff(plan.options.backOff, plan.surroundings.random);
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** Connects, and stays so. Called again while it waits, it tries at once, with refused credentials, too. */
  start(): void {
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    else if (this.#state.kind !== "idle") return;
    this.#refused = undefined;
    void this.#attempt();
  }

  /** Ends the session as broken; what is to be done next follows from the error. */
  fail(error: StarcastError): void {
    if (this.#state.kind === "dialling" || this.#state.kind === "online") this.#state.session.fail(error);
  }

  /** Says good-bye, and is idle until it is started again. Nothing is told. */
  rest(withinMs: number): Promise<void> {
    return this.#leave({ kind: "idle" }, withinMs);
  }

  /** The same for ever. Resolves when the connection is closed, after `withinMs` at the latest. Idempotent. */
  close(withinMs: number): Promise<void> {
    return this.#leave({ kind: "closed" }, withinMs);
  }

  async #leave(next: State, withinMs: number): Promise<void> {
    const state = this.#state;
    if (state.kind !== "closed") this.#state = next;
    if (state.kind === "waiting") state.timer.cancel();
    if (state.kind === "dialling" || state.kind === "online")
      this.#leaving = Promise.all([this.#leaving, state.session.close(withinMs, this.#plan.surroundings)]);
    await this.#leaving;
  }

  async #attempt(): Promise<void> {
    this.#state = { kind: "asking" };
    let credentials: Credentials | null;
    try {
      credentials = await this.#ask();
    } catch (cause) {
      const error = isStarcastError(cause)
        ? cause
        : new StarcastError(
            "connection_failed",
            "Expected `credentials` to give a user name and a password, got an error",
            { cause },
          );
      if (this.#isAsking()) this.#wait(error, this.#backOff.next());
      return;
    }
    if (!this.#isAsking()) return;
    if (this.#refused !== undefined && isSame(this.#refused, credentials))
      return this.#pause(() => void this.#attempt());
    this.#refused = undefined;
    this.#dial(credentials, this.#plan.options.protocol === "3.1.1" ? 4 : 5);
  }

  /** The credentials of this attempt; rejects when the function throws, or takes longer than a connection may. */
  async #ask(): Promise<Credentials | null> {
    const { credentials, options, surroundings } = this.#plan;
    if (credentials === null) return null;
    const { connectTimeoutMs } = options;
    return new Promise((resolve, reject) => {
      const late = new StarcastError(
        "timed_out",
        `Expected \`credentials\` to answer within ${connectTimeoutMs} ms, got nothing`,
      );
      const timer = surroundings.scheduler.after(connectTimeoutMs, () => reject(late));
      Promise.resolve()
        .then(() => credentials())
        .then((answer) => resolve(answer === null ? null : checkCredentials(answer)))
        .catch(reject)
        .finally(() => timer.cancel());
    });
  }

  #isAsking(): boolean {
    return this.#state.kind === "asking";
  }

  #dial(credentials: Credentials | null, version: 5 | 4): void {
    const { target, options, clientId, memory = null, surroundings } = this.#plan;
    const onMessage = this.#handlers.onMessage?.bind(this.#handlers);
    try {
      const session: MqttSession = new MqttSession(
        { target, options, version, clientId, credentials, will: this.#handlers.will(), memory, surroundings },
        {
          onOnline: (facts) => this.#online(session, facts),
          onEnded: (end) => this.#ended(end, credentials, version),
          ...(onMessage === undefined ? {} : { onMessage: (message) => onMessage(message) }),
        },
      );
      this.#state = { kind: "dialling", session };
    } catch (cause) {
      // TLS refuses a certificate it cannot read where it is called.
      this.#wait(
        new StarcastError(
          "connection_failed",
          `Expected to dial ${target.text}, got an error: look at \`connection.tls\``,
          { cause },
        ),
        options.longWaitMs,
      );
    }
  }

  #online(session: MqttSession, facts: SessionFacts): void {
    if (this.#state.kind !== "dialling") return;
    this.#state = { kind: "online", session, since: this.#clock.now() };
    this.#handlers.onOnline(session, facts);
  }

  #ended({ error, isSpeechless }: SessionEnd, credentials: Credentials | null, version: 5 | 4): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    const { options, needsVersion5 } = this.#plan;
    if (state.kind === "online" && this.#clock.now() - state.since >= stableAfterMs) this.#backOff.reset();
    const remedy = remedyOf(error);
    if (options.protocol === "auto" && version === 5 && state.kind === "dialling") {
      if (remedy === "version" && needsVersion5.length > 0)
        return this.#wait(tooOld(needsVersion5), options.longWaitMs);
      if (remedy === "version" || (isSpeechless && needsVersion5.length === 0)) return this.#dial(credentials, 4);
    }
    if (remedy === "credentials") {
      this.#refused = credentials;
      this.#handlers.onOffline(error, null);
      return this.#pause(() => void this.#attempt());
    }
    this.#wait(error, remedy === "retry" || remedy === "drop" ? this.#backOff.next() : options.longWaitMs);
  }

  #wait(error: StarcastError, ms: number): void {
    this.#pause(() => void this.#attempt(), ms);
    this.#handlers.onOffline(error, ms);
  }

  #pause(then: () => void, ms: number = this.#plan.options.longWaitMs): void {
    this.#state = { kind: "waiting", timer: this.#plan.surroundings.scheduler.after(ms, then) };
  }
}

function remedyOf(error: StarcastError): Remedy {
  if (error instanceof MqttReasonError) return error.remedy;
  return error.code === "unsupported" ? "wait" : "retry";
}

function tooOld(needs: readonly string[]): StarcastError {
  return new StarcastError(
    "unsupported",
    `Expected an MQTT broker that speaks MQTT 5, which ${needs.join(" and ")} needs, got one that speaks 3.1.1 only`,
  );
}

function isSame(a: Credentials | null, b: Credentials | null): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(credentials: Credentials | null): string {
  if (credentials === null) return "";
  const { username, password } = credentials;
  return JSON.stringify([
    username,
    typeof password === "string" ? password : password === undefined ? null : [...password],
  ]);
}
