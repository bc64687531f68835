import type { IncomingMessage, ServerResponse } from "node:http";
import { Controls } from "./controls.ts";
import type { Orders } from "./controls.ts";
import { tokenCookie } from "./door.ts";
import type { Door } from "./door.ts";
import { StaticFiles } from "./static-files.ts";
import { StatusStream } from "./status-stream.ts";
import type { StatusFacts } from "./status-stream.ts";

export interface PageServerOptions {
  readonly door: Door;
  readonly facts: StatusFacts;
  readonly orders: Orders;
  /** Answers `GET /events`. */
  readonly events: (request: IncomingMessage, response: ServerResponse) => void;
}

/** The demo's page, what it cannot see by itself, and what its buttons do, beside the gateway's own URL. */
export class PageServer {
  readonly #options: PageServerOptions;
  readonly #files = new StaticFiles();
  readonly #status: StatusStream;
  readonly #controls: Controls;

  constructor(options: PageServerOptions) {
    this.#options = options;
    this.#status = new StatusStream(options.facts);
    this.#controls = new Controls(options.orders);
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://localhost");
    // The gateway judges its visitors itself.
    if (url.pathname === "/events") return this.#options.events(request, response);
    if (url.pathname === "/" && url.searchParams.has("token"))
      return this.#enter(url.searchParams.get("token"), response);
    const objection = this.#options.door.objectionTo(request);
    if (objection !== null) return void response.writeHead(objection.status).end(objection.message);
    this.#route(url.pathname, request, response);
  };

  close(): void {
    this.#status.close();
  }

  // The token moves from the address, which ends up in histories, into a cookie no script can read.
  #enter(token: string | null, response: ServerResponse): void {
    const isRight = this.#options.door.isToken(token);
    const cookie =
      isRight && token !== null ? { "set-cookie": `${tokenCookie}=${token}; HttpOnly; SameSite=Strict; Path=/` } : {};
    response.writeHead(isRight ? 303 : 401, { ...cookie, location: "/" }).end();
  }

  #route(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "POST" && path === "/control") return void this.#controls.answer(request, response);
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    if (path === "/status") return this.#status.open(response);
    if (!this.#files.serve(path, response)) response.writeHead(404).end("There is no such page");
  }
}
