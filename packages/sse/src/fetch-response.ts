import type { Sink, SinkOwner } from "./sink.ts";

/** Writes to the body of a Fetch `Response`, as much as its reader asks for. */
export class FetchResponse implements Sink {
  readonly isChunked = false;
  owner: SinkOwner | null = null;
  readonly body: ReadableStream<Uint8Array>;
  #state: "open" | "full" | "over" = "open";
  // Set by `start`, which the stream's constructor calls at once.
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#onAsked(),
        cancel: () => this.#onOver(),
      },
      // Full as soon as anything waits for the reader: the place in the log is the queue.
      { highWaterMark, size: (bytes) => bytes.byteLength },
    );
  }

  get unsentBytes(): number {
    return highWaterMark - (this.#controller?.desiredSize ?? highWaterMark);
  }

  write(bytes: Uint8Array): boolean {
    const controller = this.#controller;
    if (controller === undefined || this.#state === "over") return false;
    // A reader may transfer or change what it gets; the shared bytes are everybody's.
    controller.enqueue(new Uint8Array(bytes));
    const hasRoom = (controller.desiredSize ?? 0) > 0;
    if (!hasRoom) this.#state = "full";
    return hasRoom;
  }

  end(): void {
    if (this.#state === "over") return;
    this.#controller?.close();
    this.#onOver();
  }

  destroy(): void {
    if (this.#state === "over") return;
    this.#controller?.error(new DOMException("The event stream was closed", "AbortError"));
    this.#onOver();
  }

  #onAsked(): void {
    if (this.#state !== "full") return;
    this.#state = "open";
    this.owner?.onRoom();
  }

  #onOver(): void {
    this.#state = "over";
    this.owner?.onGone();
  }
}

const highWaterMark = 1;
