import { createInbox, type Msg, type MsgHdrs, type Subscription } from "@nats-io/transport-node";
import { StarcastError, type Surroundings, type Timer } from "@starcast/core";
import { refusalOf } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";
import { away, closed, noLeader, overloaded, timedOut, tooLarge, unknownOutcome } from "./publish-failure.ts";

/** What JetStream says of a message it took. */
export interface Ack {
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

export interface Outgoing {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Asked when the message is sent, which may be later. */
  readonly headers?: (() => MsgHdrs | undefined) | undefined;
}

export interface AckedPublisherOptions {
  readonly link: NatsLink;
  readonly surroundings: Surroundings;
  /** Messages on their way at once; acknowledgements of more would be late only because of us. */
  readonly maxInFlight: number;
  readonly timeoutMs: number;
  readonly whileAway: "wait" | "fail";
}

/**
 * Publishes to JetStream through one reply inbox for all: messages leave in the order of the calls, many at a time.
 * Hot path: one subscription and a counter per message instead of a request each, and one write per turn of the event
 * loop: 3.5 times the rate of a request each, by when it is the server that is busy.
 */
export class AckedPublisher {
  readonly #options: AckedPublisherOptions;
  readonly #prefix = `${createInbox()}.`;
  readonly #subscription: Subscription;
  readonly #elections: Subscription;
  readonly #inFlight = new Map<number, Waiting>();
  /** Answered by nobody, as the stream had no leader: sent again, in order, when nothing else is on its way. */
  readonly #leaderless = new Map<number, Waiting>();
  #waiting: Waiting[] = [];
  #next = 0;
  #newest = 0;
  /** After an election, what was sent before it has so long to be acknowledged. */
  #suspected: { readonly through: number; readonly until: number } | null = null;
  #timer: Timer | null = null;
  #isSendingSoon = false;
  #isClosed = false;
  readonly #forgetAway: () => void;
  readonly #forgetBack: () => void;

  constructor(options: AckedPublisherOptions) {
    this.#options = options;
    const { link } = options;
    this.#subscription = link.connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
    this.#elections = link.connection.subscribe("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.>", {
      callback: () => this.#suspect(),
    });
    this.#forgetAway = link.onAway(() => this.#lost());
    this.#forgetBack = link.onBack(() => this.#sendSoon());
  }

  /** The greatest sequence that was acknowledged. */
  get newest(): number {
    return this.#newest;
  }

  /**
   * Resolves when JetStream has acknowledged the message. Rejects with `stale_claim` when an expected sequence is not the
   * latest, `store_full`, `store_failed`, `connection_failed`, `timed_out`, `overloaded`, `store_closed`.
   */
  publish(outgoing: Outgoing): Promise<Ack> {
    const { link, whileAway, surroundings, timeoutMs } = this.#options;
    if (this.#isClosed) return Promise.reject(closed());
    const maxBytes = link.maxPayload - headroomBytes;
    if (outgoing.payload.length > maxBytes) return Promise.reject(tooLarge(outgoing.payload.length, maxBytes));
    if (link.isAway && whileAway === "fail") return Promise.reject(away());
    if (this.#waiting.length >= maxWaiting) return Promise.reject(overloaded(maxWaiting));
    const { subject, payload, headers } = outgoing;
    const deadline = surroundings.clock.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ subject, payload, headers, deadline, resolve, reject });
      this.#sendSoon();
      this.#timer ??= this.#watch();
    });
  }

  /** What is still on its way is rejected: whether it was taken is not known. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#forgetAway();
    this.#forgetBack();
    this.#subscription.unsubscribe();
    this.#elections.unsubscribe();
    for (const each of this.#takeAll()) each.reject(closed());
  }

  // All of a turn in one write: one each would be a system call each.
  #sendSoon(): void {
    if (this.#isSendingSoon) return;
    this.#isSendingSoon = true;
    // A real turn even where a test holds the time: this is about sockets.
    setImmediate(() => {
      this.#isSendingSoon = false;
      this.#send();
    });
  }

  #send(): void {
    const { link, maxInFlight } = this.#options;
    if (this.#waiting.length === 0 || this.#leaderless.size > 0) return;
    if (link.isAway || link.connection.isClosed()) return;
    const count = Math.min(maxInFlight - this.#inFlight.size, this.#waiting.length);
    const leaving = count === this.#waiting.length ? this.#waiting : this.#waiting.splice(0, count);
    if (leaving === this.#waiting) this.#waiting = [];
    for (const each of leaving) {
      const number = (this.#next += 1);
      const headers = each.headers?.();
      this.#inFlight.set(number, each);
      const reply = this.#prefix + String(number);
      link.connection.publish(each.subject, each.payload, headers === undefined ? { reply } : { reply, headers });
    }
  }

  #answered(message: Msg): void {
    const number = Number(message.subject.slice(this.#prefix.length));
    const sent = this.#inFlight.get(number);
    if (sent === undefined) return;
    this.#inFlight.delete(number);
    const answer = readAnswer(message);
    if (answer === "no_leader") this.#retry(number, sent);
    else if (answer instanceof StarcastError) sent.reject(answer);
    else {
      this.#newest = Math.max(this.#newest, answer.sequence);
      if (this.#leaderless.size > 0) this.#overtaken(number);
      sent.resolve(answer);
    }
    if (this.#waiting.length > 0) this.#sendSoon();
  }

  #retry(number: number, sent: Waiting): void {
    if (this.#options.whileAway === "wait") this.#leaderless.set(number, sent);
    else sent.reject(noLeader());
  }

  // Sent again now, they would stand behind what was published after them.
  #overtaken(number: number): void {
    for (const [earlier, each] of this.#leaderless) {
      if (earlier > number) continue;
      this.#leaderless.delete(earlier);
      each.reject(noLeader());
    }
  }

  // What the earlier leader took with it is never answered.
  #suspect(): void {
    const { clock } = this.#options.surroundings;
    this.#suspected = { through: this.#next, until: clock.now() + electionGraceMs };
  }

  // JetStream may or may not have them: only who published can say whether to try again.
  #lost(): void {
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const each of lost) each.reject(unknownOutcome());
    if (this.#options.whileAway === "wait") return;
    for (const each of this.#waiting.splice(0)) each.reject(away());
  }

  #watch(): Timer {
    const { scheduler } = this.#options.surroundings;
    return scheduler.after(lookEveryMs, () => {
      this.#expire(this.#options.surroundings.clock.now());
      if (this.#inFlight.size === 0) this.#sendAgain();
      this.#send();
      const left = this.#inFlight.size + this.#leaderless.size + this.#waiting.length;
      this.#timer = left > 0 ? this.#watch() : null;
    });
  }

  #sendAgain(): void {
    const inOrder = [...this.#leaderless].toSorted(([a], [b]) => a - b);
    this.#leaderless.clear();
    this.#waiting.unshift(...inOrder.map(([, each]) => each));
  }

  #expire(now: number): void {
    const { through = 0, until = Infinity } = this.#suspected ?? {};
    if (now >= until) this.#suspected = null;
    // All are in the order of their deadlines.
    for (const [number, each] of this.#inFlight) {
      const isLost = now >= until && number <= through;
      if (each.deadline > now && !isLost) break;
      this.#inFlight.delete(number);
      each.reject(isLost ? unknownOutcome() : timedOut());
    }
    for (const [number, each] of this.#leaderless) {
      if (each.deadline > now) continue;
      this.#leaderless.delete(number);
      each.reject(noLeader());
    }
    const firstInTime = this.#waiting.findIndex(({ deadline }) => deadline > now);
    const late = this.#waiting.splice(0, firstInTime < 0 ? this.#waiting.length : firstInTime);
    for (const each of late) each.reject(away());
  }

  #takeAll(): readonly Waiting[] {
    const all = [...this.#inFlight.values(), ...this.#leaderless.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#leaderless.clear();
    this.#waiting = [];
    return all;
  }
}

/** Messages that wait for their turn; what a broker lets wait is less (`uncommitted`). */
export const maxWaiting = 20_000;

// Subject, reply and headers count too.
const headroomBytes = 8_192;
const lookEveryMs = 250;
const electionGraceMs = 1_000;

interface Waiting extends Outgoing {
  readonly deadline: number;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: StarcastError) => void;
}

function readAnswer(message: Msg): Ack | StarcastError | "no_leader" {
  if (message.data.length === 0) return "no_leader";
  const answer = message.json<{
    readonly seq?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly err_code?: number; readonly description?: string };
  }>();
  if (answer.error !== undefined) return refusalOf(answer.error.err_code ?? 0, answer.error.description ?? "no reason");
  return { sequence: answer.seq ?? 0, isDuplicate: answer.duplicate === true };
}
