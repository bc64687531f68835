import { ratio } from "../interleave.ts";
import {
  burst1000,
  large,
  measureCosts,
  measureFlush,
  idleRatios,
  measureMemory,
  measurePace,
  single,
  turn16,
  type Contenders,
} from "../network-suite.ts";
import { measureBesideStalled } from "../stalled.ts";
import type { Row, Suite } from "../suite.ts";

/** WebSocket fan-out beside plain `ws`, socket.io, Bun's pub/sub and bare sockets. */
export const suite: Suite = async (options) => {
  const { isQuick } = options;
  const clients = isQuick ? 200 : 1_000;
  const rounds = 3;
  const ratios: Record<string, number> = {};
  const rows: Row[] = [];

  const main = await measureCosts(contenders, { clients, rounds, situations: [single, turn16, burst1000] }, options);
  rows.push(...main.rows);
  for (const [situation, costs] of main.costs)
    for (const [peer, suffix] of peers) ratios[`ws.${situation}.${suffix}`] = ratio(costs, peer, "starcast");

  const { starcast, ws, bun } = contenders;
  const few = 3;
  const more = { starcast, ws, bun };
  for (const { count, situations } of isQuick ? [] : otherSizes) {
    const { rows: found, costs } = await measureCosts(more, { clients: count, rounds: few, situations }, options);
    rows.push(...found);
    for (const [situation, measures] of costs) {
      ratios[`ws.${situation}.${count}clients.vsWs`] = ratio(measures, "ws", "starcast");
      ratios[`ws.${situation}.${count}clients.vsBun`] = ratio(measures, "bun", "starcast");
    }
  }

  const deflate = await measureCosts(
    { starcast, "ws deflate": deflating },
    { clients: 100, rounds: 3, situations: [single] },
    options,
  );
  rows.push(...deflate.rows);
  for (const measures of deflate.costs.values())
    ratios["ws.single.100clients.vsWsDeflate"] = ratio(measures, "ws deflate", "starcast");

  const pace = await measurePace(
    { ...more, "bare sockets": contenders["bare sockets"] },
    { clients, rounds: few },
    options,
  );
  rows.push(...pace.rows);
  for (const [peer, suffix] of [
    ["ws", "vsWs"],
    ["bun", "vsBun"],
    ["bare sockets", "vsSockets"],
  ] as const) {
    ratios[`ws.latencyP99.${suffix}`] = ratio(pace.p99, "starcast", peer);
    ratios[`ws.sustainedRate.${suffix}`] = ratio(pace.sustained, "starcast", peer);
  }

  const stalled = await measureBesideStalled(
    starcast,
    { clients: 200, stalled: isQuick ? 300 : 1_000, rounds: few },
    options,
  );
  rows.push(...stalled.rows);
  ratios["ws.stalled.p99Ratio"] = ratio(stalled.p99, "beside", "alone");

  const windows = { "window 0": starcast, "window 10 ms": { ...starcast, args: ["10"] } };
  const flush = await measureFlush(windows, clients, options);
  rows.push(...flush.rows);
  ratios["ws.flush10ms.cpuVsWindow0"] = ratio(flush.costs, "window 10 ms", "window 0");

  const memory = await measureMemory(
    contenders,
    { sizes: isQuick ? [1_000] : [1_000, 5_000], rounds: isQuick ? 1 : 2 },
    options,
  );
  rows.push(...memory.rows);
  Object.assign(ratios, idleRatios("ws", memory.costs, peers));
  return { rows, ratios, rounds };
};

const peers = [
  ["ws", "vsWs"],
  ["socket.io", "vsSocketIo"],
  ["bare sockets", "vsSockets"],
  ["bun", "vsBun"],
] as const;

const otherSizes = [
  { count: 100, situations: [single] },
  { count: 1_000, situations: [large] },
  { count: 5_000, situations: [{ ...single, turns: 60 }] },
] as const;

export const upgrade = (path: string, ...headers: readonly string[]): string =>
  [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "",
    "",
  ].join("\r\n");

// socket.io's own hello, "40", as a masked text frame with a key of zeros.
const joinNamespace = "\x81\x82\x00\x00\x00\x0040";

const contenders = {
  starcast: { script: "starcast-ws", request: upgrade("/events") },
  ws: { script: "plain-ws", request: upgrade("/") },
  "socket.io": { script: "socket-io", request: upgrade("/socket.io/?EIO=4&transport=websocket"), hello: joinNamespace },
  bun: { script: "bun-pubsub", request: upgrade("/"), runtime: "bun" },
  "bare sockets": { script: "bare-sockets", request: upgrade("/") },
} as const satisfies Contenders;

const deflating = {
  script: "plain-ws",
  args: ["--deflate"],
  request: upgrade("/", "Sec-WebSocket-Extensions: permessage-deflate"),
  isCompressed: true,
} as const;
