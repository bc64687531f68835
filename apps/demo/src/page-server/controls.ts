import type { IncomingMessage, ServerResponse } from "node:http";
import { OrderError } from "./order-error.ts";

/** What came with an order; each order checks what it takes. */
export type OrderInput = Readonly<Record<string, unknown>>;

/** What the page's buttons do in this process, as `what action`. */
export type Orders = ReadonlyMap<string, (input: OrderInput) => unknown>;

/** An order is two words, and a model at most. */
export const maxOrderBytes = 1_024;

/** Answers `POST /control` with `{ what, action }`: one order at a time, so that a stop is done before its start begins. */
export class Controls {
  readonly #orders: Orders;
  #last: Promise<unknown> = Promise.resolve();

  constructor(orders: Orders) {
    this.#orders = orders;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      // A form of another page cannot send this type without being asked about first.
      if (request.headers["content-type"] !== "application/json")
        throw new OrderError("not_json", "Expected application/json");
      const input = await readInput(request);
      const order = this.#orders.get(`${String(input["what"])} ${String(input["action"])}`);
      if (order === undefined) throw new OrderError("unknown_order", "Expected an order that one of the buttons gives");
      const carriedOut = this.#last.then(() => order(input));
      this.#last = carriedOut.catch(() => undefined);
      await carriedOut;
      response.writeHead(204).end();
    } catch (error) {
      const refused = error instanceof OrderError ? error : new OrderError("failed", "It failed; try again");
      response.writeHead(refused.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: refused.code, message: refused.message }));
    }
  }
}

async function readInput(request: IncomingMessage): Promise<OrderInput> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += String(chunk);
    if (Buffer.byteLength(text) > maxOrderBytes)
      throw new OrderError("too_large", `Expected at most ${maxOrderBytes} bytes`);
  }
  const input = parsed(text);
  if (typeof input !== "object" || input === null)
    throw new OrderError("invalid_input", "Expected an object as JSON, got something else");
  return input as OrderInput;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
