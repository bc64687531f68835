import type { IncomingMessage, ServerResponse } from "node:http";

/** What the page's buttons do in this process, as `what action`. */
export type Orders = Readonly<Record<string, (() => Promise<unknown>) | undefined>>;

/** An order is two words. */
const maxOrderBytes = 256;

/** Answers `POST /control` with `{ what, action }`: one order at a time, so that a stop is done before its start begins. */
export class Controls {
  readonly #orders: Orders;
  #last: Promise<unknown> = Promise.resolve();

  constructor(orders: Orders) {
    this.#orders = orders;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A form of another page cannot send this type without being asked about first.
    if (request.headers["content-type"] !== "application/json") {
      response.writeHead(415).end("Expected application/json");
      return;
    }
    const order = this.#orders[await readOrder(request)];
    if (order === undefined) {
      response.writeHead(400).end("Expected an order that one of the buttons gives");
      return;
    }
    const carriedOut = this.#last.then(order, order);
    this.#last = carriedOut.catch(() => undefined);
    try {
      await carriedOut;
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(503).end(error instanceof Error ? error.message : "It failed");
    }
  }
}

async function readOrder(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > maxOrderBytes) return "";
  }
  try {
    const { what, action } = JSON.parse(text) as { readonly what?: unknown; readonly action?: unknown };
    return `${String(what)} ${String(action)}`;
  } catch {
    // No JSON, no order.
    return "";
  }
}
