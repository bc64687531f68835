import { ratio } from "../interleave.ts";
import { measureNetwork, situations, type NetworkContender } from "../network-suite.ts";
import type { Suite } from "../suite.ts";

/** WebSocket fan-out beside plain `ws`, socket.io and bare sockets. */
export const suite: Suite = async (options) => {
  const { rows, costs, idleBytes, rounds } = await measureNetwork(contenders, options);
  const ratios: Record<string, number> = {};
  for (const { name } of situations) {
    const measures = costs.get(name);
    if (measures === undefined) continue;
    ratios[`ws.${name}.vsWs`] = ratio(measures, "ws", "starcast");
    ratios[`ws.${name}.vsSocketIo`] = ratio(measures, "socket.io", "starcast");
    ratios[`ws.${name}.vsSockets`] = ratio(measures, "bare sockets", "starcast");
  }
  ratios["ws.idleBytes.vsWs"] = ratio(idleBytes, "starcast", "ws");
  ratios["ws.idleBytes.vsSocketIo"] = ratio(idleBytes, "starcast", "socket.io");
  return { rows, ratios, rounds };
};

const upgrade = (path: string, ...headers: readonly string[]): string =>
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

const contenders: Readonly<Record<string, NetworkContender>> = {
  starcast: { script: "starcast-ws", request: upgrade("/events") },
  ws: { script: "plain-ws", request: upgrade("/") },
  "socket.io": { script: "socket-io", request: upgrade("/socket.io/?EIO=4&transport=websocket"), hello: joinNamespace },
  "bare sockets": { script: "bare-sockets", request: upgrade("/") },
};
