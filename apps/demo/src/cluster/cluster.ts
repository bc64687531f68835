import { createServer } from "node:http";
import { untilSignal } from "@starcast/core";
import { builtPage } from "../page-server/built-page.ts";
import { listen } from "../services/listen.ts";
import { ClusterPage } from "./cluster-page.ts";
import { readClusterOptionsOrExit } from "./cluster-options.ts";
import { GatewayNode } from "./gateway-node.ts";
import { NatsProcess } from "./nats-process.ts";
import { RoundRobin } from "./round-robin.ts";

const options = readClusterOptionsOrExit(process.argv.slice(2), process.env);
const stop = untilSignal("SIGINT", "SIGTERM");
const write = (line: string): void => void process.stdout.write(`${line}\n`);

const nats = options.natsUrl === null ? await NatsProcess.startOrExit() : null;
const natsUrl = options.natsUrl ?? nats?.url ?? "";

// Each node is a process of its own, and knows of no other: they share the stream and nothing else.
const nodes = Array.from({ length: options.nodes }, (_, index) => new GatewayNode(`node-${index + 1}`, natsUrl));
const [folder] = await Promise.all([builtPage(), ...nodes.map((node) => node.start())]);

const balancer = new RoundRobin(nodes);
const page = new ClusterPage(folder, nodes, balancer);
const server = createServer(page.handle);
server.on("upgrade", balancer.upgrade);
const origin = await listen(server, { host: "127.0.0.1", port: options.port });
write(`Starcast is at ${origin}/, ${options.nodes} gateways on NATS at ${natsUrl}   (Ctrl-C ends it)`);

await new Promise<void>((resolve) => {
  if (stop.aborted) resolve();
  stop.addEventListener("abort", () => resolve(), { once: true });
});
server.close();
balancer.close();
await Promise.all(nodes.map((node) => node.close()));
server.closeAllConnections();
await nats?.close();
