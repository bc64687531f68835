import type { IncomingMessage, ServerResponse } from "node:http";
import type { LiveCatalog } from "../catalog/live-catalog.ts";
import { StatusStream } from "../status/status-stream.ts";
import { Controls } from "./controls.ts";
import type { Orders } from "./controls.ts";
import { tokenCookie } from "./door.ts";
import type { Door } from "./door.ts";
import { requestUrl } from "./request-url.ts";
import { StaticFiles } from "./static-files.ts";

export interface PageServerOptions {
  readonly door: Door;
  /** Where the built page is. */
  readonly folder: string;
  readonly report: () => Promise<object>;
  readonly orders: Orders;
  readonly catalog: LiveCatalog;
}

/** The demo's page, what it cannot see by itself, and what its buttons do, beside the gateway's own URL. */
export class PageServer {
  readonly #door: Door;
  readonly #catalog: LiveCatalog;
  readonly #files: StaticFiles;
  readonly #status: StatusStream;
  readonly #controls: Controls;

  constructor({ door, folder, report, orders, catalog }: PageServerOptions) {
    this.#door = door;
    this.#catalog = catalog;
    this.#files = new StaticFiles(folder);
    this.#status = new StatusStream(report);
    this.#controls = new Controls(orders);
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = requestUrl(request);
    if (url === null) return void response.writeHead(400).end("Expected a path");
    if (url.pathname === "/" && url.searchParams.has("token"))
      return this.#enter(url.searchParams.get("token"), response);
    const objection = this.#door.objectionTo(request);
    if (objection !== null) return void response.writeHead(objection.status).end(objection.message);
    this.#route(url, request, response);
  };

  close(): void {
    this.#status.close();
  }

  // The token moves from the address, which ends up in histories, into a cookie no script can read.
  #enter(token: string | null, response: ServerResponse): void {
    const isRight = this.#door.isToken(token);
    const cookie =
      isRight && token !== null ? { "set-cookie": `${tokenCookie}=${token}; HttpOnly; SameSite=Strict; Path=/` } : {};
    response.writeHead(isRight ? 303 : 401, { ...cookie, location: "/" }).end();
  }

  #route(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = url;
    if (request.method === "POST" && pathname === "/control") return void this.#controls.answer(request, response);
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    if (pathname === "/status") return this.#status.open(response);
    if (pathname === "/models") return void this.#models(url.searchParams.get("provider"), response);
    if (!this.#files.serve(pathname, response)) response.writeHead(404).end("There is no such page");
  }

  async #models(provider: string | null, response: ServerResponse): Promise<void> {
    const loaded = await this.#catalog.load(provider);
    if (loaded === null) return void response.writeHead(503, { "retry-after": "1" }).end();
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify(loaded));
  }
}
