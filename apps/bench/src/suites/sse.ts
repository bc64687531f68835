import { ratio } from "../interleave.ts";
import { measureNetwork, situations, type NetworkContender } from "../network-suite.ts";
import type { Suite } from "../suite.ts";

/** Server-Sent Events fan-out beside plain node:http and better-sse. */
export const suite: Suite = async (options) => {
  const { rows, costs, idleBytes, rounds } = await measureNetwork(contenders, options);
  const ratios: Record<string, number> = {};
  for (const { name } of situations) {
    const measures = costs.get(name);
    if (measures === undefined) continue;
    ratios[`sse.${name}.vsHttp`] = ratio(measures, "node:http", "starcast");
    ratios[`sse.${name}.vsBetterSse`] = ratio(measures, "better-sse", "starcast");
  }
  ratios["sse.idleBytes.vsHttp"] = ratio(idleBytes, "starcast", "node:http");
  ratios["sse.idleBytes.vsBetterSse"] = ratio(idleBytes, "starcast", "better-sse");
  return { rows, ratios, rounds };
};

const request = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";

const contenders: Readonly<Record<string, NetworkContender>> = {
  starcast: { script: "starcast-sse", request },
  "node:http": { script: "plain-http", request },
  "better-sse": { script: "better-sse", request },
};
