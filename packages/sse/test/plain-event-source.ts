import { get, type ClientRequest, type IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";
import { onTestFinished } from "vitest";

export interface Heard {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/** Nothing but what the HTML standard says an EventSource does (9.2): no knowledge of what Starcast sends. */
export class PlainEventSource {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly heard: Heard[] = [];
  /** Statuses of all answers so far. */
  readonly answers: (number | undefined)[] = [];
  readyState: "connecting" | "open" | "closed" = "connecting";
  lastEventId = "";
  retryMs = 3_000;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
    this.#connect();
    onTestFinished(() => this.close());
  }

  /** Resolves when what is asked has become true. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves with everything heard of this type, once there are so many. */
  async hear(type: string, count: number): Promise<readonly Heard[]> {
    const ofType = (): readonly Heard[] => this.heard.filter((each) => each.type === type);
    await this.until(() => ofType().length >= count);
    return ofType();
  }

  /** Loses the connection, as networks do. */
  drop(): void {
    this.#request?.destroy();
  }

  /** Stops reading, as a page that hangs does. */
  stall(): void {
    this.#response?.pause();
  }

  unstall(): void {
    this.#response?.resume();
  }

  close(): void {
    this.readyState = "closed";
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  #connect(): void {
    const resume = this.lastEventId === "" ? {} : { "Last-Event-ID": this.lastEventId };
    const headers = { Accept: "text/event-stream", "Cache-Control": "no-store", ...resume, ...this.#headers };
    const request = get(this.#url, { headers, agent: false });
    this.#request = request;
    request.on("response", (response) => this.#read(response));
    request.on("error", () => undefined);
    request.on("close", () => {
      if (this.readyState === "closed") return;
      this.readyState = "connecting";
      this.#timer = setTimeout(() => this.#connect(), this.retryMs);
      this.#changed();
    });
  }

  #read(response: IncomingMessage): void {
    this.answers.push(response.statusCode);
    this.#response = response;
    if (response.statusCode !== 200 || response.headers["content-type"]?.split(";")[0] !== "text/event-stream") {
      this.close();
      this.#changed();
      return;
    }
    this.readyState = "open";
    let rest = "";
    let type = "";
    let data = "";
    let id = this.lastEventId;
    // Content coding is the network layer's business, which an EventSource does not see.
    const body = response.headers["content-encoding"] === "gzip" ? response.pipe(createGunzip()) : response;
    body.setEncoding("utf8");
    response.on("error", () => undefined);
    body.on("error", () => undefined);
    body.on("data", (text: string) => {
      const lines = (rest + text).split(/\r\n|\r|\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          this.lastEventId = id;
          if (data !== "")
            this.heard.push({ type: type === "" ? "message" : type, data: data.slice(0, -1), lastEventId: id });
          type = "";
          data = "";
        } else if (!line.startsWith(":")) {
          const colon = line.indexOf(":");
          const field = colon < 0 ? line : line.slice(0, colon);
          const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
          if (field === "event") type = value;
          else if (field === "data") data += `${value}\n`;
          else if (field === "id" && !value.includes("\0")) id = value;
          else if (field === "retry" && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
        }
      }
      this.#changed();
    });
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
