import type { ServerResponse } from "node:http";
import type { Arrived, Receiver } from "../receivers/receiver.ts";

/** A transport whose receiver runs in this process, as the page shows it. */
export interface ReportedTransport {
  readonly receiver: Receiver;
  readonly isUp: () => boolean;
  readonly isConnected: () => boolean;
}

/** What the page cannot see by itself. */
export interface StatusFacts {
  readonly position: () => { readonly epoch: string; readonly offset: number };
  readonly models: () => number;
  readonly canBurst: () => boolean;
  readonly transports: Readonly<Record<"mqtt" | "webhooks", ReportedTransport>>;
}

const everyMs = 150;

/** Rates are over so many of these. */
const rateSamples = 20;

/** Tells every open page how things stand, a few times a second while something changes; a page that is slow gets the next one. */
export class StatusStream {
  readonly #facts: StatusFacts;
  readonly #pages = new Map<ServerResponse, Seen>();
  readonly #heads: number[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(facts: StatusFacts) {
    this.#facts = facts;
  }

  open(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.#pages.set(response, { mqtt: 0, webhooks: 0, told: "" });
    response.once("close", () => this.#left(response));
    this.#timer ??= setInterval(() => this.#tell(), everyMs);
    this.#tellPage(response, this.#report());
  }

  close(): void {
    for (const response of this.#pages.keys()) response.end();
  }

  #left(response: ServerResponse): void {
    this.#pages.delete(response);
    if (this.#pages.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#heads.length = 0;
  }

  #tell(): void {
    this.#heads.push(this.#facts.position().offset);
    if (this.#heads.length > rateSamples) this.#heads.shift();
    const report = this.#report();
    for (const response of this.#pages.keys()) if (!response.writableNeedDrain) this.#tellPage(response, report);
  }

  #report(): object {
    const { position, models, canBurst } = this.#facts;
    const { epoch, offset } = position();
    const [oldest = offset] = this.#heads;
    const seconds = (Math.max(1, this.#heads.length - 1) * everyMs) / 1_000;
    const perSecond = Math.round((offset - oldest) / seconds);
    return {
      position: `${epoch}-${offset}`,
      head: offset,
      models: models(),
      canBurst: canBurst(),
      perSecond,
      notice: "",
    };
  }

  #tellPage(response: ServerResponse, report: object): void {
    const seen = this.#pages.get(response);
    if (seen === undefined) return;
    const { mqtt, webhooks } = this.#facts.transports;
    const receivers = { mqtt: describe(mqtt, seen.mqtt), webhooks: describe(webhooks, seen.webhooks) };
    const text = JSON.stringify({ ...report, receivers });
    if (text === seen.told) return;
    response.write(`data: ${text}\n\n`);
    this.#pages.set(response, { mqtt: mqtt.receiver.arrivals, webhooks: webhooks.receiver.arrivals, told: text });
  }
}

interface Seen {
  readonly mqtt: number;
  readonly webhooks: number;
  readonly told: string;
}

function describe({ receiver, isUp, isConnected }: ReportedTransport, since: number): object {
  const { through, received, duplicates, told, missing } = receiver.tally;
  const newest: readonly Arrived[] = receiver.since(since);
  const counts = { received, repeated: duplicates, lost: missing, told };
  return { ...counts, position: receiver.position, offset: through, isUp: isUp(), isConnected: isConnected(), newest };
}
