import type { Clock, Scheduler } from "@starcast/core";
import { AnswerReader, type AnswerLimits } from "./answer-reader.ts";
import { Deadlines } from "./deadlines.ts";
import { EndpointConnections } from "./endpoint-connections.ts";
import { guardedConnect, type GuardedConnectSettings } from "./guarded-connect.ts";
import type { Answer } from "./outcome.ts";

/** One signed request, ready to be written. */
export interface SendRequest {
  readonly endpointId: string;
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Its addresses are not judged: the origin was unlocked by `allow`. */
  readonly isUnlocked: boolean;
  /** Connections to this endpoint that are kept for the next requests. */
  readonly connections: number;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Uint8Array;
}

export interface HttpSenderSettings extends GuardedConnectSettings, AnswerLimits {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The whole attempt, by the wall clock: look-up, connection, request and answer. */
  readonly deadlineMs: number;
  /** Endpoints whose connections are kept; beyond, those of the least recently used end with their last answer. */
  readonly maxEndpoints: number;
}

/**
 * Sends requests over HTTP/1.1: no redirects, no decompression, no pipelining, one pool of connections per endpoint, so
 * that none waits for another's. Every attempt ends by its deadline.
 */
export class HttpSender {
  readonly #settings: HttpSenderSettings;
  /** Least recently used first. */
  readonly #connections = new Map<string, EndpointConnections>();
  /** The last of them. */
  #newest: EndpointConnections | null = null;
  /** Those no longer used whose last requests are under way, or are just ending. */
  readonly #retired = new Set<EndpointConnections>();
  // Idle timers of the HTTP client start anew with every byte; only time over everything is a deadline.
  readonly #deadlines: Deadlines<AnswerReader>;
  #isClosed = false;

  constructor(settings: HttpSenderSettings) {
    const { clock, scheduler, deadlineMs } = settings;
    this.#settings = settings;
    this.#deadlines = new Deadlines({ clock, scheduler, ms: deadlineMs, onLate: (reader) => reader.end("timed_out") });
  }

  /** Resolves with what came back, or why nothing did; never rejects. */
  send(request: SendRequest): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve({ kind: "failed", category: "interrupted" });
    const connections = this.#connectionsFor(request);
    const client = connections.take(request.connections);
    return new Promise((resolve) => {
      const reader: AnswerReader = new AnswerReader(this.#settings, {
        onDone: (problem) => {
          this.#deadlines.remove(reader);
          if (problem === null) connections.release(client);
          else connections.discard(client, problem);
        },
        onEnd: resolve,
      });
      this.#deadlines.add(reader);
      const { path, headers, body } = request;
      try {
        client.dispatch({ method: "POST", path, headers, body }, reader);
      } catch {
        // The client refuses what it cannot write before it looks at the network; nothing of it was sent.
        reader.end("request_refused");
      }
    });
  }

  /** Ends idle connections to an endpoint; requests under way finish. */
  forget(endpointId: string): void {
    const known = this.#connections.get(endpointId);
    if (known === undefined) return;
    this.#connections.delete(endpointId);
    known.retire();
    for (const each of this.#retired) if (each.isGone) this.#retired.delete(each);
    this.#retired.add(known);
  }

  /** Ends every connection; requests under way fail as `interrupted`. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#connections.values(), ...this.#retired];
    for (const each of all) each.destroy();
    await Promise.all(all.map((each) => each.ended()));
    this.#deadlines.close();
  }

  #connectionsFor({ endpointId, origin, isUnlocked }: SendRequest): EndpointConnections {
    const known = this.#connections.get(endpointId);
    if (known !== undefined && known.origin === origin) {
      // Attempts of a burst go to one endpoint: it stands where it should from the second on.
      if (known !== this.#newest) {
        this.#connections.delete(endpointId);
        this.#connections.set(endpointId, known);
        this.#newest = known;
      }
      return known;
    }
    this.forget(endpointId);
    const oldest =
      this.#connections.size >= this.#settings.maxEndpoints ? this.#connections.keys().next().value : undefined;
    if (oldest !== undefined) this.forget(oldest);
    const made = new EndpointConnections(origin, {
      connect: guardedConnect(this.#settings, isUnlocked),
      pipelining: 1,
      maxHeaderSize: this.#settings.maxAnswerHeadBytes,
      // The deadline is ours; these would only end an attempt for another reason.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleSocketMs,
      keepAliveMaxTimeout: idleSocketMs,
    });
    this.#connections.set(endpointId, made);
    this.#newest = made;
    return made;
  }
}

/** An idle connection is kept for the next event of a burst, not for the next hour. */
export const idleSocketMs = 4_000;
