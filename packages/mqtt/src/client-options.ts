import type { Surroundings } from "@starcast/core";
import type { IClientOptions } from "mqtt";
import type { ResolvedConnectionOptions } from "./connection-options.ts";
import type { Message } from "./message.ts";
import type { Credentials, MqttTarget } from "./mqtt-url.ts";
import type { PacketIds } from "./packet-ids.ts";

/** What one attempt needs to know. */
export interface DialPlan {
  readonly target: MqttTarget;
  readonly options: ResolvedConnectionOptions;
  readonly version: 5 | 4;
  readonly clientId: string;
  readonly credentials: Credentials | null;
  readonly will: Message | null;
  /** What the MQTT broker keeps of this client while it is away. @see SessionMemory */
  readonly memory: SessionMemory | null;
  readonly surroundings: Surroundings;
}

/** The MQTT broker keeps subscriptions and unacknowledged messages of this client for so long (MQTT 3.1.1: for ever). */
export interface SessionMemory {
  readonly expirySeconds: number;
  /** Messages it may send before the first is acknowledged. */
  readonly receiveMaximum: number;
}

/** What mqtt.js is told: never to reconnect, never to queue, and to keep the time that everybody keeps. */
export function clientOptions(
  { target, options, version, clientId, credentials, will, memory, surroundings }: DialPlan,
  messageIdProvider: PacketIds,
): IClientOptions {
  const { protocol, hostname, port, path } = target;
  const isWebSocket = protocol === "ws" || protocol === "wss";
  const { servername, ...tls } = options.tls;
  const password = credentials?.password;
  return {
    // `ca` and friends may be readonly lists here, and `passphrase` is passed on to Node though mqtt.js does not name it.
    ...(tls as Partial<IClientOptions>),
    ...(servername === undefined || isWebSocket ? {} : { servername }),
    ...(isWebSocket
      ? { path, wsOptions: { headers: { ...options.headers }, ...(servername === undefined ? {} : { servername }) } }
      : {}),
    protocol,
    hostname: isWebSocket && hostname.includes(":") ? `[${hostname}]` : hostname,
    port,
    protocolVersion: version,
    clientId,
    ...(credentials === null ? {} : { username: credentials.username }),
    ...(password === undefined ? {} : { password: typeof password === "string" ? password : Buffer.from(password) }),
    ...(will === null
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: will.retain } }),
    clean: memory === null,
    ...(memory === null || version === 4
      ? {}
      : { properties: { sessionExpiryInterval: memory.expirySeconds, receiveMaximum: memory.receiveMaximum } }),
    keepalive: options.keepaliveSeconds,
    messageIdProvider,
    queueQoSZero: false,
    reconnectPeriod: 0,
    resubscribe: false,
    // One timer per connection, not one per acknowledgement.
    reschedulePings: false,
    // Ours is the deadline; this one must only not be earlier.
    connectTimeout: options.connectTimeoutMs + 60_000,
    timerVariant: keepaliveTimer(surroundings),
    log: () => undefined,
  };
}

// mqtt.js wants something like setInterval; this one lives in the same time as everything else.
function keepaliveTimer({ scheduler }: Surroundings): {
  set: (run: () => void, ms: number) => number;
  clear: (id: number) => void;
} {
  const cancels = new Map<number, () => void>();
  let last = 0;
  const repeat = (id: number, run: () => void, ms: number): void => {
    const timer = scheduler.after(ms, () => {
      repeat(id, run, ms);
      run();
    });
    cancels.set(id, () => timer.cancel());
  };
  return {
    set: (run, ms) => {
      last += 1;
      repeat(last, run, ms);
      return last;
    },
    clear: (id) => {
      cancels.get(id)?.();
      cancels.delete(id);
    },
  };
}
