import { ratio } from "../interleave.ts";
import { measureCosts, measureMemory, type Contenders, type Situation } from "../network-suite.ts";
import type { Row, Suite } from "../suite.ts";
import { upgrade } from "./websocket.ts";

/** One compression for all clients, beside none, and beside a compressor per client that keeps its window. */
export const suite: Suite = async (options) => {
  const { isQuick } = options;
  const clients = isQuick ? 200 : 1_000;
  const rounds = isQuick ? 3 : 5;
  const { rows: found, costs, bytesOf } = await measureCosts(contenders, { clients, rounds, situations }, options);
  const rows: Row[] = [...found];
  const ratios: Record<string, number> = {};
  for (const { name, title } of situations) {
    const bytes = bytesOf.get(name) ?? new Map<string, number>();
    const measures = costs.get(name) ?? new Map<string, readonly number[]>();
    for (const [contender, value] of bytes)
      rows.push({ situation: `${title}, bytes`, contender, value, unit: "bytes/delivery", spread: [value, value] });
    const suffix = name === "single" ? "" : `.${name}`;
    ratios[`ws.shared${suffix}.bytes.vsWsDeflate`] = (bytes.get("shared") ?? NaN) / (bytes.get("ws deflate") ?? NaN);
    ratios[`ws.shared${suffix}.bytes.vsPlain`] = (bytes.get("shared") ?? NaN) / (bytes.get("plain") ?? NaN);
    ratios[`ws.shared${suffix}.cpu.vsWsDeflate`] = ratio(measures, "shared", "ws deflate");
    ratios[`ws.shared${suffix}.cpu.vsPlain`] = ratio(measures, "shared", "plain");
  }
  const { shared, plain, "ws deflate": deflate } = contenders;
  const memory = await measureMemory(
    { shared, plain, "ws deflate": deflate },
    { sizes: [isQuick ? 1_000 : 5_000], rounds: isQuick ? 1 : 3 },
    options,
  );
  rows.push(...memory.rows);
  for (const { resident } of memory.costs) {
    ratios["ws.shared.idleBytes.vsPlain"] = ratio(resident, "shared", "plain");
    ratios["ws.shared.idleBytes.vsWsDeflate"] = ratio(resident, "shared", "ws deflate");
  }
  return { rows, ratios, rounds };
};

const situations: readonly Situation[] = [
  { name: "single", title: "1 event per turn", turns: 100, perTurn: 1, isVaried: true },
  { name: "2k", title: "1 event of 2 KB per turn", turns: 60, perTurn: 1, bytes: 2_000, isVaried: true },
  { name: "turn16", title: "16 events per turn", turns: 20, perTurn: 16, isVaried: true },
];

const offer = "Sec-WebSocket-Extensions: permessage-deflate";

const contenders = {
  shared: { script: "starcast-ws", args: ["--shared"], request: upgrade("/events", offer), isCompressed: true },
  plain: { script: "starcast-ws", request: upgrade("/events") },
  "ws deflate": { script: "plain-ws", args: ["--deflate"], request: upgrade("/", offer), isCompressed: true },
} as const satisfies Contenders;
