import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Door } from "../page-server/door.ts";
import type { GatewayNode } from "./gateway-node.ts";
import type { RoundRobin } from "./round-robin.ts";

const files: Readonly<Record<string, readonly [file: URL, type: string]>> = {
  "/": [new URL("./page/cluster.html", import.meta.url), "text/html; charset=utf-8"],
  "/cluster.css": [new URL("./page/cluster.css", import.meta.url), "text/css; charset=utf-8"],
  "/cluster.js": [new URL("./page/cluster.js", import.meta.url), "text/javascript; charset=utf-8"],
};

/** The page of the cluster: what each node does, a button to kill it, and the stream through the balancer. */
export class ClusterPage {
  readonly #nodes: readonly GatewayNode[];
  readonly #balancer: RoundRobin;
  // On loopback everybody of this machine may come in, and no page from elsewhere.
  readonly #door = new Door(null);

  constructor(nodes: readonly GatewayNode[], balancer: RoundRobin) {
    this.#nodes = nodes;
    this.#balancer = balancer;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/events") return this.#balancer.handle(request, response);
    const objection = this.#door.objectionTo(request);
    if (objection !== null) return void response.writeHead(objection.status).end(objection.message);
    if (request.method === "POST" && pathname === "/kill") return this.#kill(searchParams.get("node"), response);
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    if (pathname === "/nodes") return this.#tell(response);
    const file = files[pathname];
    if (file === undefined) return void response.writeHead(404).end("There is no such page");
    response.writeHead(200, { ...headers, "content-type": file[1] }).end(readFileSync(file[0]));
  };

  #kill(name: string | null, response: ServerResponse): void {
    const node = this.#nodes.find((each) => each.name === name);
    if (node === undefined) return void response.writeHead(404).end("There is no such node");
    node.kill();
    response.writeHead(204).end();
  }

  #tell(response: ServerResponse): void {
    const nodes = this.#nodes.map(({ name, pid, kills }) => ({
      name,
      pid,
      kills,
      clients: this.#balancer.count(name),
    }));
    response
      .writeHead(200, { "content-type": "application/json", "cache-control": "no-store" })
      .end(JSON.stringify(nodes));
  }
}

const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; trusted-types 'none'; require-trusted-types-for 'script'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};
