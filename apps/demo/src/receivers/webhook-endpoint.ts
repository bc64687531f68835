import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { catalogEvents } from "@starcast/catalog";
import { WebhookVerifier } from "@starcast/standard-webhooks";
import { SwitchableServer } from "../services/switchable-server.ts";
import type { Arrived } from "./receiver.ts";

/** What an endpoint does with a request besides handling it, to show what senders must live with. */
export type Temper = "good" | "refusing" | "forgetful" | "moody";

/** A moody endpoint refuses one request of so many. */
const moodyEvery = 4;

/** Who is told of what was verified. */
export interface Told {
  take(event: Arrived): void;
  takeGap(through: string): void;
}

/** A partner's webhook endpoint: verifies every signature before it believes a word, and can go away and come back. */
export class WebhookEndpoint {
  readonly #server: SwitchableServer;
  #receive: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | null = null;
  #requests = 0;
  /** `refusing` answers 503; `forgetful` handles, then hangs up without an answer; `moody` answers 503 now and then. */
  temper: Temper = "good";

  private constructor() {
    this.#server = new SwitchableServer(createServer((request, response) => void this.#answer(request, response)));
  }

  static async start(): Promise<WebhookEndpoint> {
    const endpoint = new WebhookEndpoint();
    await endpoint.start();
    return endpoint;
  }

  /** What the sender is allowed to call. */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  get url(): string {
    return `${this.origin}/webhooks`;
  }

  get isUp(): boolean {
    return this.#server.isUp;
  }

  /** From now on it books what these keys have signed. */
  accept(keys: readonly string[], events: typeof catalogEvents, receiver: Told): void {
    const verifier = new WebhookVerifier({ keys, events });
    const { node } = verifier.receive((event) => {
      if (event.type === "client.gap") receiver.takeGap(event.data.through);
      else receiver.take(event);
    });
    this.#receive = node;
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  /** From now on nobody is there; also what closes it. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    const isInMood = this.temper === "moody" && this.#requests % moodyEvery === 0;
    if (this.#receive === null || this.temper === "refusing" || isInMood || request.url !== "/webhooks") {
      response.writeHead(request.url === "/webhooks" ? 503 : 404).end();
      return;
    }
    // Handled and then unheard of: the sender has to come again, and the id tells that it is the same.
    if (this.temper === "forgetful") response.writeHead = () => response.destroy();
    await this.#receive(request, response);
  }
}
