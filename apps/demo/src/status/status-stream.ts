import type { ServerResponse } from "node:http";

/** How often pages are told. */
const everyMs = 200;

/** Pages that are told at once; beyond, the oldest is let go, and asks again. */
export const maxPages = 32;

/** Tells every open page how things stand, a few times a second while something changes; a page that is slow gets the next one. */
export class StatusStream {
  readonly #report: () => Promise<object>;
  readonly #pages = new Map<ServerResponse, { told: string }>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(report: () => Promise<object>) {
    this.#report = report;
  }

  open(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write("retry: 500\n\n");
    this.#pages.set(response, { told: "" });
    for (const oldest of this.#pages.keys()) if (this.#pages.size > maxPages) this.#letGo(oldest);
    response.once("close", () => this.#left(response));
    this.#timer ??= setInterval(() => void this.#tell(), everyMs);
    void this.#tell();
  }

  close(): void {
    for (const response of this.#pages.keys()) response.end();
  }

  #letGo(response: ServerResponse): void {
    this.#pages.delete(response);
    response.end();
  }

  #left(response: ServerResponse): void {
    this.#pages.delete(response);
    if (this.#pages.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #tell(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const text = JSON.stringify(await this.#report());
      for (const [response, page] of this.#pages) {
        if (response.writableNeedDrain || text === page.told) continue;
        response.write(`data: ${text}\n\n`);
        page.told = text;
      }
    } catch {
      // A store that is just being closed has nothing to tell, and the page asks again.
    } finally {
      this.#isLooking = false;
    }
  }
}
