import { parseArgs } from "node:util";

/** How the demo was started. */
export interface DemoOptions {
  /** Check all transports and exit, without a page. */
  readonly isOnce: boolean;
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Whoever knows it may watch and push the buttons; null only on loopback. */
  readonly token: string | null;
  /** Where everything is kept over restarts; null for a demo that forgets. */
  readonly durable: string | null;
  /** Somebody else's MQTT broker; null for the embedded one. */
  readonly mqttUrl: string | null;
}

export const usage = `npm run demo -- [--once | --durable FOLDER] [--port N] [--host ADDRESS --token TOKEN]

  --once    check that every transport delivers every event across outages, print a table, exit
  --durable keep everything in this folder, and go on there after a restart, however the last life ended
  --port    where the page listens                             (a free port; 8420 with --durable, where pages look again)
  --host    the address it listens on                          (127.0.0.1)
  --token   who knows it may come in; needed beyond loopback
  MQTT_URL  an MQTT broker of yours in place of the embedded one`;

/** Where a page that was opened before a restart finds the demo again. */
const durablePort = 8420;

/** Reads arguments and environment; throws with what is wrong, for people. */
export function readDemoOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: "boolean" },
      durable: { type: "string" },
      port: { type: "string" },
      host: { type: "string" },
      token: { type: "string" },
    },
  });
  const { once = false, durable = null, host = "127.0.0.1", token = null } = values;
  if (durable === "" || (once && durable !== null))
    throw new Error("Expected --durable to name a folder, and no --once beside it: that one counts from the beginning");
  const port = Number(values.port ?? (durable === null ? 0 : durablePort));
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`Expected --port to be 0 to 65535, got ${values.port}`);
  if (token !== null && !/^[A-Za-z0-9_-]{16,}$/.test(token)) {
    throw new Error("Expected --token to be at least 16 of A-Z, a-z, 0-9, _ and -, got something else");
  }
  if (!isLoopbackHost(host) && token === null) {
    throw new Error(`Expected --token with --host ${host}: beyond this machine the page and its buttons need one`);
  }
  return { isOnce: once, host, port, token, durable, mqttUrl: env["MQTT_URL"] ?? null };
}

/** The same for a program: says what is wrong and ends with 2. */
export function readDemoOptionsOrExit(...given: Parameters<typeof readDemoOptions>): DemoOptions {
  try {
    return readDemoOptions(...given);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exit(2);
  }
}

/** Whether only this machine can reach it. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
