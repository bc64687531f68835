import type { Clock, Scheduler } from "@starcast/core";
import { Pool } from "undici";
import { AnswerReader, type AnswerLimits } from "./answer-reader.ts";
import { Deadlines } from "./deadlines.ts";
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
  /** Most connections to this endpoint. */
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
  readonly maxPools: number;
}

/**
 * Sends requests over HTTP/1.1: no redirects, no decompression, no pipelining, one pool of connections per endpoint, so
 * that none waits for another's. Every attempt ends by its deadline.
 */
export class HttpSender {
  readonly #settings: HttpSenderSettings;
  /** Least recently used first. */
  readonly #pools = new Map<string, EndpointPool>();
  readonly #ending = new Set<Promise<void>>();
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
    return new Promise((resolve) => {
      const reader: AnswerReader = new AnswerReader(this.#settings, (answer) => {
        this.#deadlines.remove(reader);
        resolve(answer);
      });
      this.#deadlines.add(reader);
      const { path, headers, body } = request;
      try {
        this.#poolFor(request).dispatch({ method: "POST", path, headers, body }, reader);
      } catch {
        // The client refuses what it cannot write before it looks at the network; nothing of it was sent.
        reader.end("request_refused");
      }
    });
  }

  /** Ends idle connections to an endpoint; requests under way finish. */
  forget(endpointId: string): void {
    const known = this.#pools.get(endpointId);
    if (known === undefined) return;
    this.#pools.delete(endpointId);
    this.#own(known.pool.close());
  }

  /** Ends every connection; requests under way fail as `interrupted`. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#deadlines.close();
    for (const { pool } of this.#pools.values()) this.#own(pool.destroy());
    this.#pools.clear();
    await Promise.all(this.#ending);
  }

  #poolFor(request: SendRequest): Pool {
    const { endpointId, origin, connections, isUnlocked } = request;
    const known = this.#pools.get(endpointId);
    if (known !== undefined && known.origin === origin && known.connections === connections) {
      this.#pools.delete(endpointId);
      this.#pools.set(endpointId, known);
      return known.pool;
    }
    this.forget(endpointId);
    const oldest = this.#pools.size >= this.#settings.maxPools ? this.#pools.keys().next().value : undefined;
    if (oldest !== undefined) this.forget(oldest);
    const pool = new Pool(origin, {
      connect: guardedConnect(this.#settings, isUnlocked),
      connections,
      pipelining: 1,
      maxHeaderSize: this.#settings.maxAnswerHeadBytes,
      // The deadline is ours; these would only end an attempt for another reason.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleSocketMs,
      keepAliveMaxTimeout: idleSocketMs,
    });
    this.#pools.set(endpointId, { pool, origin, connections });
    return pool;
  }

  #own(ending: Promise<void>): void {
    const owned = ending.finally(() => this.#ending.delete(owned));
    this.#ending.add(owned);
  }
}

/** An idle connection is kept for the next event of a burst, not for the next hour. */
export const idleSocketMs = 4_000;

interface EndpointPool {
  readonly pool: Pool;
  readonly origin: string;
  readonly connections: number;
}
