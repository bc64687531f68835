import { ratio } from "../interleave.ts";
import {
  burst1000,
  measureCosts,
  idleRatios,
  measureMemory,
  single,
  turn16,
  type Contenders,
} from "../network-suite.ts";
import type { Row, Suite } from "../suite.ts";

/** Server-Sent Events fan-out beside plain node:http and better-sse. */
export const suite: Suite = async (options) => {
  const { isQuick } = options;
  const clients = isQuick ? 200 : 1_000;
  const rounds = 3;
  const ratios: Record<string, number> = {};
  const rows: Row[] = [];
  const main = await measureCosts(contenders, { clients, rounds, situations: [single, turn16, burst1000] }, options);
  rows.push(...main.rows);
  for (const [situation, costs] of main.costs)
    for (const [peer, suffix] of peers) ratios[`sse.${situation}.${suffix}`] = ratio(costs, peer, "starcast");
  const memory = await measureMemory(
    contenders,
    { sizes: isQuick ? [1_000] : [1_000, 5_000], rounds: isQuick ? 1 : 2 },
    options,
  );
  rows.push(...memory.rows);
  Object.assign(ratios, idleRatios("sse", memory.costs, peers));
  return { rows, ratios, rounds };
};

const peers = [
  ["node:http", "vsHttp"],
  ["better-sse", "vsBetterSse"],
  ["bare sockets", "vsSockets"],
] as const;

const request = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";

const contenders = {
  starcast: { script: "starcast-sse", request },
  "node:http": { script: "plain-http", request },
  "better-sse": { script: "better-sse", request },
  "bare sockets": { script: "bare-sse", request },
} as const satisfies Contenders;
