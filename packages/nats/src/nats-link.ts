import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import {
  connect,
  credsAuthenticator,
  errors,
  nkeyAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { InvalidOptionError, StarcastError } from "@starcast/core";
import { isWithoutJetStream, toStoreError } from "./nats-error.ts";
import { isTooOld } from "./server-version.ts";
import type { JetStreamCredentials, JetStreamTls, ResolvedJetStreamOptions } from "./options.ts";

/** The connection to NATS that everything of a store shares: it comes back by itself, and says when it was away. */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly #onAway = new Set<() => void>();
  readonly #onBack = new Set<() => void>();
  readonly #onClosing = new Set<() => void>();
  readonly #onForbidden = new Set<(subject: string) => void>();
  #isAway = false;

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.connection = connection;
    this.manager = manager;
    void this.#watch();
  }

  /** Rejects with `connection_failed`, `not_authorized`, or `unsupported`: JetStream is not switched on, or too old. */
  static async open(options: ResolvedJetStreamOptions): Promise<NatsLink> {
    let connection: NatsConnection;
    try {
      connection = await connect({
        servers: [...options.servers],
        name: `starcast ${options.stream}`,
        // A store outlives any outage: who waits for it has limits of their own.
        maxReconnectAttempts: -1,
        // A server that has just begun may not know the accounts yet; without this, its second refusal would be the end.
        ignoreAuthErrorAbort: true,
        // For one attempt: a server that accepts, and then says nothing, is given up for another.
        timeout: 5_000,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
        // Half-open connections are found in 10 s instead of four minutes.
        pingInterval: 5_000,
        maxPingOut: 2,
        ...(options.tls === null ? {} : { tls: withoutAbsent(options.tls) }),
        ...loginOf(options.credentials),
      });
    } catch (error) {
      throw toStoreError(error, `connect to NATS (${options.servers.join(", ")})`, "connection_failed");
    }
    const { version } = connection.info ?? { version: "" };
    if (isTooOld(version)) {
      await connection.close();
      throw new StarcastError("unsupported", `Expected nats-server 2.9 or later, got ${version}: upgrade it`);
    }
    try {
      const manager = await jetstreamManager(connection, { timeout: options.publishTimeoutMs });
      return new NatsLink(connection, manager);
    } catch (error) {
      await connection.close();
      if (!isWithoutJetStream(error)) throw toStoreError(error, "ask JetStream", "connection_failed");
      throw new StarcastError(
        "unsupported",
        "Expected a NATS server with JetStream, got one without: start it with `-js`, or enable it for this account",
        { cause: error },
      );
    }
  }

  /** True from when the connection was lost until it is back. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Bytes a message may have. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576;
  }

  onAway(run: () => void): () => void {
    this.#onAway.add(run);
    return () => void this.#onAway.delete(run);
  }

  onBack(run: () => void): () => void {
    this.#onBack.add(run);
    return () => void this.#onBack.delete(run);
  }

  /** Tells when the server refused a message to a subject: nobody will ever answer it. */
  onForbidden(run: (subject: string) => void): () => void {
    this.#onForbidden.add(run);
    return () => void this.#onForbidden.delete(run);
  }

  /** Whoever waits for an answer of its own is told, so that nobody waits in vain. */
  onClosing(run: () => void): () => void {
    this.#onClosing.add(run);
    return () => void this.#onClosing.delete(run);
  }

  async close(): Promise<void> {
    for (const run of [...this.#onClosing]) run();
    this.#onAway.clear();
    this.#onBack.clear();
    this.#onForbidden.clear();
    await this.connection.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === "disconnect" && this.#isAway) endAttempt(this.connection);
      else if (status.type === "disconnect") {
        this.#isAway = true;
        for (const run of [...this.#onAway]) run();
      } else if (status.type === "reconnect" && this.#isAway) {
        this.#isAway = false;
        for (const run of [...this.#onBack]) run();
      } else if (status.type === "error" && status.error instanceof errors.PermissionViolationError) {
        const { operation, subject } = status.error;
        if (operation === "publish") for (const run of [...this.#onForbidden]) run(subject);
      }
    }
  }
}

/**
 * A server that goes while it greets ends an attempt to come back only at its timeout: the client waits for the greeting. It
 * has a way to fail an attempt, which it uses for refusals; where that is not there, the timeout remains.
 */
function endAttempt(connection: NatsConnection): void {
  const { protocol } = connection as { readonly protocol?: { readonly connectError?: (error: Error) => void } };
  protocol?.connectError?.(new errors.ConnectionError("connection closed"));
}

function loginOf(credentials: JetStreamCredentials | null): Partial<NodeConnectionOptions> {
  if (credentials === null) return {};
  if ("token" in credentials) return { token: credentials.token };
  if ("user" in credentials) return { user: credentials.user, pass: credentials.password };
  try {
    const authenticator =
      "creds" in credentials ? credsAuthenticator(credentials.creds) : nkeyAuthenticator(credentials.nkeySeed);
    // What cannot sign anything would only be found out when the server asks.
    authenticator("nonce");
    return { authenticator };
  } catch {
    // What the client says of it may show a part of it.
    throw new InvalidOptionError({
      option: "credentials",
      expected: "the text of a .creds file, or an nkey seed, as bytes",
      received: "bytes that are neither",
    });
  }
}

// The client takes a member that is there for one that is meant.
function withoutAbsent(tls: JetStreamTls): object {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
