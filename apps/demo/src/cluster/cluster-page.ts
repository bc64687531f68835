import type { IncomingMessage, ServerResponse } from "node:http";
import { Door } from "../page-server/door.ts";
import { requestUrl } from "../page-server/request-url.ts";
import { StaticFiles } from "../page-server/static-files.ts";
import type { GatewayNode } from "./gateway-node.ts";
import type { NodeReport } from "./node-report.ts";
import type { RoundRobin } from "./round-robin.ts";

/** The page of the cluster: what each node does, a button to kill it, and the stream through the balancer. */
export class ClusterPage {
  readonly #files: StaticFiles;
  readonly #nodes: readonly GatewayNode[];
  readonly #balancer: RoundRobin;
  // On loopback everybody of this machine may come in, and no page from elsewhere.
  readonly #door = new Door(null);

  /** `folder`: where the built page is. */
  constructor(folder: string, nodes: readonly GatewayNode[], balancer: RoundRobin) {
    this.#files = new StaticFiles(folder);
    this.#nodes = nodes;
    this.#balancer = balancer;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = requestUrl(request);
    if (url === null) return void response.writeHead(400).end("Expected a path");
    const { pathname, searchParams } = url;
    if (pathname === "/events") return this.#balancer.handle(request, response);
    const objection = this.#door.objectionTo(request);
    if (objection !== null) return void response.writeHead(objection.status).end(objection.message);
    if (request.method === "POST" && pathname === "/kill") return this.#kill(searchParams.get("node"), response);
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    if (pathname === "/nodes") return this.#tell(response);
    if (!this.#files.serve(pathname === "/" ? "/cluster.html" : pathname, response))
      response.writeHead(404).end("There is no such page");
  };

  #kill(name: string | null, response: ServerResponse): void {
    const node = this.#nodes.find((each) => each.name === name);
    if (node === undefined) return void response.writeHead(404).end("There is no such node");
    node.kill();
    response.writeHead(204).end();
  }

  #tell(response: ServerResponse): void {
    const nodes = this.#nodes.map(({ name, pid, kills }): NodeReport => ({
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
