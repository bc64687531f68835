import { parseArgs } from "node:util";

export interface ClusterOptions {
  readonly nodes: number;
  /** 0: a free one. */
  readonly port: number;
  /** Somebody else's NATS; null starts a nats-server. */
  readonly natsUrl: string | null;
}

export const clusterUsage = `npm run demo -- --cluster N [--port N]

  --cluster how many gateways, 1 to 9, each a process of its own
  --port    where the page listens on 127.0.0.1                (a free port)
  NATS_URL  a NATS with JetStream of yours in place of a nats-server started for the demo
  NATS_SERVER  the program that is started, if it is not on PATH`;

/** Reads arguments and environment; throws with what is wrong, for people. */
export function readClusterOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ClusterOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { cluster: { type: "string" }, port: { type: "string", default: "0" } },
  });
  const nodes = Number(values.cluster);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 9)
    throw new Error(`Expected --cluster to be 1 to 9, got ${values.cluster}`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`Expected --port to be 0 to 65535, got ${values.port}`);
  return { nodes, port, natsUrl: env["NATS_URL"] ?? null };
}

/** The same for a program: says what is wrong and ends with 2. */
export function readClusterOptionsOrExit(...given: Parameters<typeof readClusterOptions>): ClusterOptions {
  try {
    return readClusterOptions(...given);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${clusterUsage}\n`);
    process.exit(2);
  }
}
