import type { Clock, Scheduler } from "@starcast/core";
import type { AnswerLimits } from "./answer-reader.ts";
import { categoryOf } from "./attempt-error.ts";
import { Deadlines } from "./deadlines.ts";
import { EndpointConnections } from "./endpoint-connections.ts";
import { guardedConnect, type GuardedConnectSettings } from "./guarded-connect.ts";
import type { HttpConnection } from "./http-connection.ts";
import type { Answer } from "./outcome.ts";
import { formatRequestHead } from "./request-head.ts";

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
  readonly headers: readonly string[];
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
  // Timers that start anew with every byte are no deadline; only time over everything is.
  readonly #deadlines: Deadlines<HttpConnection>;
  #isClosed = false;

  constructor(settings: HttpSenderSettings) {
    const { clock, scheduler, deadlineMs } = settings;
    this.#settings = settings;
    this.#deadlines = new Deadlines({ clock, scheduler, ms: deadlineMs, onLate: (late) => late.end("timed_out") });
  }

  /** Resolves with what came back, or why nothing did; never rejects. */
  send(request: SendRequest): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve({ kind: "failed", category: "interrupted" });
    const connections = this.#connectionsFor(request);
    const { path, headers, body } = request;
    let head: string;
    try {
      head = formatRequestHead({ path, host: connections.host, headers, bodyBytes: body.length });
    } catch (error) {
      return Promise.resolve({ kind: "failed", category: categoryOf(error) });
    }
    return new Promise((resolve) => {
      const connection = connections.take();
      this.#deadlines.add(connection);
      connection.send(head, body, (answer, keepMs) => {
        this.#deadlines.remove(connection);
        if (keepMs > 0) connections.release(connection, keepMs);
        resolve(answer);
      });
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

  #connectionsFor({ endpointId, origin, connections, isUnlocked }: SendRequest): EndpointConnections {
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
    const { clock, scheduler } = this.#settings;
    const made = new EndpointConnections({
      origin,
      limits: this.#settings,
      connect: guardedConnect(this.#settings, origin, isUnlocked),
      clock,
      scheduler,
      maxIdle: connections,
    });
    this.#connections.set(endpointId, made);
    this.#newest = made;
    return made;
  }
}
