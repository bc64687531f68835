import { formatPosition, type AnyBroker, type Position, type StarcastError } from "@starcast/core";
import type { Message } from "./message.ts";
import type { StatusReporter } from "./status-reporter.ts";

/** Books events that will never be published: counts each once, however often it is offered, and makes the notice of it. */
export class Losses {
  readonly #broker: AnyBroker;
  readonly #publisher: string;
  readonly #status: StatusReporter;
  /** Up to here losses were counted. */
  #countedThrough = 0;
  #poison: { readonly offset: number; readonly error: StarcastError } | null = null;

  constructor(broker: AnyBroker, publisher: string, status: StatusReporter) {
    this.#broker = broker;
    this.#publisher = publisher;
    this.#status = status;
  }

  /** What has to be acknowledged before the place may move past the loss. */
  lose(position: Position, error: StarcastError): readonly Message[] {
    const loss = { after: { ...position, offset: position.offset - 1 }, through: position, reason: error.code };
    if (position.offset <= this.#countedThrough) return this.#status.notice(loss);
    this.#countedThrough = position.offset;
    this.#broker.countDropped(error.code, 1);
    const { code, message } = error;
    this.#broker.observe({
      kind: "mqttEventLost",
      level: "warn",
      publisher: this.#publisher,
      id: formatPosition(position),
      code,
      message,
    });
    return this.#status.loss(loss);
  }

  /** The refusal of this event ended the connection: offered again, it would do so again. */
  blame(position: Position | null, error: StarcastError): void {
    if (position !== null) this.#poison = { offset: position.offset, error };
  }

  /** Why the event at this place is not to be offered again; null when it may be. */
  poisonAt(offset: number): StarcastError | null {
    return this.#poison?.offset === offset ? this.#poison.error : null;
  }
}
