import type { Buffer } from "node:buffer";
import { connect as connectPlain, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Scheduler } from "@starcast/core";
import type { buildConnector } from "undici";
import { judgeAddress } from "./address-guard.ts";
import { AttemptError, connectCategoryOf } from "./attempt-error.ts";
import { parseIp, type Network } from "./ip-address.ts";
import type { NameLookup } from "./name-lookup.ts";

/** One connection to make. Every address has been judged; nothing else may be dialled. */
export interface DialTarget {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly port: number;
  /** TLS when given; `servername` is null for an address literal. */
  readonly tls: {
    readonly servername: string | null;
    readonly ca: readonly string[] | null;
    readonly session: Buffer | null;
  } | null;
}

/** Starts a connection, without waiting for it. */
export type Dial = (target: DialTarget) => Socket;

export interface GuardedConnectSettings {
  readonly lookup: NameLookup;
  readonly dial: Dial;
  readonly scheduler: Scheduler;
  /** For everything: look-up, TCP and TLS. */
  readonly connectTimeoutMs: number;
  readonly ca: readonly string[] | null;
  readonly allowedNetworks: readonly Network[];
}

/**
 * A connector for undici that judges addresses where they are dialled: an address literal itself (Node never looks those
 * up), every answer of the name look-up, and the peer once more when the connection stands. One bad answer refuses all.
 * For an unlocked origin nothing is judged.
 */
export function guardedConnect(settings: GuardedConnectSettings, isUnlocked: boolean): buildConnector.connector {
  const mayCall = (address: string): boolean => isUnlocked || judgeAddress(address, settings.allowedNetworks).isAllowed;
  let session: Buffer | null = null;

  async function connect(options: buildConnector.Options, signal: AbortSignal): Promise<Socket> {
    const host = options.hostname.replace(/\.$/, "");
    const isLiteral = parseIp(host) !== null;
    const addresses = isLiteral ? [host] : await addressesOf(host, isUnlocked, settings.lookup, signal);
    if (!addresses.every(mayCall)) throw refused();
    const isTls = options.protocol === "https:";
    const tls = isTls ? { servername: isLiteral ? null : host, ca: settings.ca, session } : null;
    const port = options.port === "" ? (isTls ? 443 : 80) : Number(options.port);
    const socket = settings.dial({ host, addresses, port, tls });
    if (isTls) socket.on("session", (ticket: Buffer) => (session = ticket));
    await established(socket, isTls ? "secureConnect" : "connect", signal);
    if (mayCall(socket.remoteAddress ?? "")) return socket;
    socket.destroy();
    throw refused();
  }

  return (options, callback) => {
    const deadline = new AbortController();
    const timer = settings.scheduler.after(settings.connectTimeoutMs, () => deadline.abort());
    connect(options, deadline.signal)
      .finally(() => timer.cancel())
      .then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(failed(error), null),
      );
  };
}

/** The real one: TCP with both families racing (RFC 8305) over exactly the judged addresses, TLS with full checks. */
export const dial: Dial = (target) => {
  const options = {
    host: target.host,
    port: target.port,
    lookup: pinned(target.addresses),
    autoSelectFamily: true,
    noDelay: true,
    // An answer is capped at a few KiB: more than this need never be in memory.
    highWaterMark: 16_384,
  };
  if (target.tls === null) return connectPlain(options);
  const { servername, ca, session } = target.tls;
  return connectTls({
    ...options,
    ALPNProtocols: ["http/1.1"],
    // Said, as otherwise a variable of the environment turns it off for the whole process.
    rejectUnauthorized: true,
    ...(servername === null ? {} : { servername }),
    ...(ca === null ? {} : { ca: [...ca] }),
    ...(session === null ? {} : { session }),
  });
};

async function addressesOf(
  host: string,
  isUnlocked: boolean,
  lookup: NameLookup,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // RFC 6761 6.3: nobody need be asked for these, and c-ares would ask a server.
  if (isUnlocked && (host === "localhost" || host.endsWith(".localhost"))) return ["127.0.0.1", "::1"];
  const addresses = await beforeAbort(lookup(host, signal), signal);
  if (addresses.length > 0) return addresses;
  throw new AttemptError("dns_failed", "Expected the endpoint's name to have an address, got none");
}

// A look-up that ignores its signal must not hold the attempt; what it says later interests nobody.
function beforeAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timeout = (): void =>
      reject(new AttemptError("dns_timed_out", "Expected the endpoint's name to resolve in time (connectTimeoutMs)"));
    signal.addEventListener("abort", timeout, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", timeout));
  });
}

function established(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timeout = (): void => {
      socket.destroy();
      reject(
        new AttemptError(
          "connect_timed_out",
          "Expected the endpoint to take the connection in time (connectTimeoutMs)",
        ),
      );
    };
    const settle = (run: () => void): void => {
      signal.removeEventListener("abort", timeout);
      run();
    };
    signal.addEventListener("abort", timeout, { once: true });
    socket.once(event, () => settle(resolve));
    // Stays on the socket: an error between this turn and the client's own listener must not be unhandled.
    socket.on("error", (error) => settle(() => reject(error)));
    socket.once("close", () =>
      settle(() => reject(new AttemptError("connect_failed", "Expected a connection, got one that closed at once"))),
    );
  });
}

// net asks for one address or, when families race, for all.
function pinned(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: parseIp(address)?.family ?? 4 }));
  return (_, options, callback) => {
    const [first] = entries;
    if (options.all === true || first === undefined) callback(null, entries);
    else callback(null, first.address, first.family);
  };
}

function refused(): AttemptError {
  return new AttemptError("address_refused", "Expected an endpoint at a public address (or in `allow`), got another");
}

function failed(error: unknown): AttemptError {
  if (error instanceof AttemptError) return error;
  const category = connectCategoryOf(error);
  return new AttemptError(category, `Expected a connection to the endpoint, got ${category}`, { cause: error });
}
