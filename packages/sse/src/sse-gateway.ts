import { isStarcastError, type AnyBroker, type DrainPlan, type Part } from "@starcast/core";
import {
  Entrance,
  reject,
  visitOfFetch,
  visitOfNode,
  type Accepted,
  type ClientLag,
  type GatewayStats,
  type RejectionCode,
  type Visit,
} from "@starcast/core/gateway";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { answerFailed, answerHead, answerMethod, answerRejected, type Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import type { StreamFormat } from "./event-stream.ts";
import { FetchResponse } from "./fetch-response.ts";
import { isOver, openSink, requireNodeResponse, writeAnswer, writeStreamHead } from "./node-response.ts";
import { resolveSseOptions, type ResolvedSseOptions, type SseOptions } from "./options.ts";
import { corsHeaders, streamHeaders, type HeaderFields } from "./response-headers.ts";

/** What a Fetch handler knows besides the request. */
export interface FetchFacts {
  /** Who is at the other end of the connection; without it connections are not capped per address. */
  readonly remoteAddress?: string | null | undefined;
}

/** Lets clients follow a broker's events as `text/event-stream`: each resumes exactly where it was, or is told what it missed. */
export class SseGateway {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedSseOptions;
  readonly #entrance: Entrance;
  readonly #connections: Connections;
  readonly #named: StreamFormat;
  readonly #unnamed: StreamFormat;
  readonly #unregister: () => void;
  #closing: Promise<void> | null = null;

  /** Takes requests from now on, and ends with the broker. Throws `InvalidOptionError`, `name_taken`, `broker_closed`. */
  constructor(broker: AnyBroker, options: SseOptions) {
    this.#broker = broker;
    this.#options = resolveSseOptions(options);
    this.#entrance = new Entrance(broker, this.#options.name, this.#options.gateway);
    this.#connections = new Connections(broker, this.#entrance.tally, this.#options);
    this.#named = { payload: this.#options.payload, isNamed: true };
    this.#unnamed = { payload: this.#options.payload, isNamed: false };
    this.#unregister = broker.register(this.#part());
  }

  /** Open connections. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** What its clients have done since it was constructed. */
  stats(): GatewayStats {
    return this.#entrance.tally.stats(this.connectionCount);
  }

  /**
   * At most so many of the clients that are behind, the furthest first; one that keeps up is not among them. Looks at every
   * connection: a thing to ask for once in a while, not with every event.
   */
  slowest(count = 10): readonly ClientLag[] {
    return this.#connections.slowest(count);
  }

  /**
   * Ends the connections of an identity at once, told to stay away, and refuses who is just being let in as that;
   * returns how many there were. Whether it comes in again is for `authorize` to say, where a client that returns by
   * itself is then answered 204: take it away there first.
   */
  revoke(identity: string): number {
    this.#entrance.revoke(identity);
    return this.#connections.revoke(identity);
  }

  /**
   * Answers a node:http, Express, Fastify (`reply.raw`) or HTTP/2 compatibility request. Bound: pass it as it is. Throws
   * `invalid_option` for what is no response of node:http, such as a Fetch request, and nothing else.
   */
  readonly handle = (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse): void => {
    requireNodeResponse(res);
    this.#handle(req, res).catch((error: unknown) => {
      // Only what others put in the response's place can throw here; nothing of it may end the process.
      this.#tellFailed(error);
      (res as ServerResponse).destroy();
    });
  };

  /** Answers a Fetch request: Hono, Next.js route handlers, Bun, Deno. Bound. Never rejects. */
  readonly fetch = async (request: Request, facts: FetchFacts = {}): Promise<Response> => {
    try {
      return await this.#fetch(request, facts);
    } catch (error) {
      this.#tellFailed(error);
      return respond(answerFailed());
    }
  };

  /** Refuses new clients, tells the others when to come back, and resolves when they are gone. The broker's `close` does the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #fetch(request: Request, facts: FetchFacts): Promise<Response> {
    const visit = visitOfFetch(request, "sse", facts.remoteAddress ?? null);
    const admitted = await this.#admit(visit);
    if ("status" in admitted) return respond(admitted);
    const connection = this.#subscribe(admitted, visit, request.signal.aborted);
    if ("status" in connection) return respond(connection);
    const sink = new FetchResponse();
    connection.start(sink);
    // Runtimes that lose a client either cancel the body or abort the request. The body then ends instead of failing:
    // nobody reads it any more, and Deno would print the failure.
    request.signal.addEventListener("abort", () => sink.end(), { once: true });
    return new Response(sink.body, { headers: { ...streamHeaders, ...this.#cors(visit) } });
  }

  async #handle(req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse): Promise<void> {
    const visit = visitOfNode(req, "sse");
    const admitted = await this.#admit(visit);
    if ("status" in admitted) return writeAnswer(res, admitted);
    const connection = this.#subscribe(admitted, visit, isOver(res));
    if ("status" in connection) return writeAnswer(res, connection);
    try {
      writeStreamHead(res, { ...streamHeaders, ...this.#cors(visit) });
      connection.start(openSink(req, res, this.#tellFailed));
    } catch (error) {
      connection.onGone();
      throw error;
    }
  }

  /** Who is let in, or the answer for whoever is not, or asks for something that needs no stream. */
  async #admit(visit: Visit): Promise<Accepted | Answer> {
    const cors = this.#cors(visit);
    const answer = answerMethod(visit.method, cors, visit.headers.get("access-control-request-headers"));
    if (answer !== null) return answer;
    const decision = await this.#entrance.decide(visit);
    if (decision.kind === "rejected") return answerRejected(decision, cors, isReturning(visit));
    if (visit.method === "GET") return decision;
    decision.seat.leave();
    return answerHead(cors);
  }

  /** The client's place in the log; it hears of it in a later turn. */
  #subscribe(accepted: Accepted, visit: Visit, isGone: boolean): Connection | Answer {
    const { clientId, seat, grant, subscribe } = accepted;
    const connection = this.#connections.make(grant, {
      clientId,
      seat,
      format: isNamed(visit) ? this.#named : this.#unnamed,
      isStartCertain: subscribe.from === "latest",
    });
    try {
      const withdrawn = this.#entrance.withdrawn(accepted);
      if (withdrawn !== null) return this.#refuse(accepted, visit, withdrawn);
      if (isGone) {
        seat.leave();
        // Nobody is there to read it, and nobody was refused.
        return answerRejected(reject("overloaded"), this.#cors(visit), false);
      }
      connection.subscription = this.#broker.attach(connection, subscribe);
    } catch (error) {
      if (isStarcastError(error, "broker_closed")) return this.#refuse(accepted, visit, "draining");
      if (isStarcastError(error, "overloaded")) return this.#refuse(accepted, visit, "overloaded");
      seat.leave();
      throw error;
    }
    this.#connections.add(connection);
    return connection;
  }

  #refuse({ seat }: Accepted, visit: Visit, code: RejectionCode): Answer {
    seat.leave();
    const rejected = reject(code);
    this.#entrance.tally.refused(rejected);
    return answerRejected(rejected, this.#cors(visit), isReturning(visit));
  }

  #cors({ headers }: Visit): HeaderFields {
    const origin = headers.get("origin");
    return corsHeaders(origin, origin !== null && this.#options.gateway.allowedOrigins.includes(origin.toLowerCase()));
  }

  // Bound: one for all responses.
  readonly #tellFailed = (error: unknown): void =>
    this.#broker.observe({ kind: "requestFailed", level: "warn", gateway: this.#options.name, error });

  #part(): Part {
    const connections = this.#connections;
    return {
      name: this.#options.name,
      stage: "clients",
      get size() {
        return connections.size;
      },
      stop: () => this.#entrance.stop(),
      drain: (plan: DrainPlan) => connections.drain(plan),
    };
  }

  async #close(): Promise<void> {
    this.#entrance.stop();
    await this.#connections.drain({ spreadMs: 0, deadline: this.#broker.surroundings.clock.now() + closeDeadlineMs });
    this.#unregister();
  }
}

declare module "@starcast/core" {
  interface Moments {
    /** A request could not be answered, because of what stood in the response's place. */
    requestFailed: { readonly gateway: string; readonly error: unknown };
  }
}

/** A gateway closed by itself waits so long for clients that do not read their last frame. */
const closeDeadlineMs = 5_000;

function respond({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}

// Who comes back by itself brings the id it saw last.
function isReturning({ headers }: Visit): boolean {
  return headers.get("last-event-id") !== null;
}

// Whatever `named` is but `false`: names are what listeners of one type need.
function isNamed({ target }: Visit): boolean {
  return !/[?&]named=false(?:&|$)/.test(target);
}
