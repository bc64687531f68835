import { StreamParser } from "./stream-parser.js";

/** A Server-Sent Events connection read by hand, so that it can stop reading without closing. */
export class SseConnection {
  #abort = new AbortController();
  #unstall = null;
  #stalled = null;

  /** `on` is told of every frame, and once of the end. */
  constructor(after, on) {
    void this.#read(`/events?after=${encodeURIComponent(after)}`, on);
  }

  /** Not reading fills the socket's buffers, then the server waits for us. */
  stall() {
    this.#stalled = new Promise((resolve) => (this.#unstall = resolve));
  }

  unstall() {
    this.#unstall?.();
    this.#stalled = null;
  }

  close() {
    this.unstall();
    this.#abort.abort();
  }

  async #read(url, on) {
    try {
      const response = await fetch(url, {
        headers: { accept: "text/event-stream" },
        cache: "no-store",
        signal: this.#abort.signal,
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const parser = new StreamParser((data) => on.frame(JSON.parse(data)));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        await this.#stalled;
        parser.push(part.value);
      }
    } catch {
      // Every way to end is the same here: the column says so, and connects again after the last id.
    }
    if (!this.#abort.signal.aborted) on.end();
  }
}
