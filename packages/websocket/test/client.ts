import { parseFrame, type ClientFrame, type EventFrame } from "@starcast/core/wire";
import { onTestFinished } from "vitest";
import { WebSocket, type ClientOptions } from "ws";

type ClientFrameOf<Type> = ClientFrame & { readonly type: Type };

/** A client of the plain `ws` kind that keeps every frame it got. */
export class Client {
  readonly socket: WebSocket;
  readonly frames: (ClientFrame | EventFrame)[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(url: string, protocols: readonly string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(url, [...protocols], options);
    this.socket.on("message", (data: Buffer) => {
      const parsed = parseFrame(data.toString());
      if (parsed.kind !== "client" && parsed.kind !== "event")
        throw new Error(`Expected a frame, got ${data.toString()}`);
      this.frames.push(parsed.frame);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        this.#isClosed = true;
        this.#wake();
        resolve({ code, reason: reason.toString() });
      });
    });
    // `close` follows, and is what tests look at.
    this.socket.on("error", () => undefined);
    onTestFinished(() => this.socket.terminate());
  }

  get events(): readonly EventFrame[] {
    return this.frames.filter((frame): frame is EventFrame => "id" in frame);
  }

  /** The first frame of this type, got or to come, from number `from` on. */
  async frame<Type extends ClientFrame["type"]>(type: Type, from = 0): Promise<ClientFrameOf<Type>> {
    // Found by its type.
    return (await this.until(() =>
      this.frames.slice(from).find((frame) => frame.type === type),
    )) as ClientFrameOf<Type>;
  }

  async eventCount(count: number): Promise<readonly EventFrame[]> {
    return this.until(() => (this.events.length >= count ? this.events : undefined));
  }

  async until<Value>(look: () => Value | undefined): Promise<Value> {
    for (;;) {
      const value = look();
      if (value !== undefined) return value;
      if (this.#isClosed) throw new Error(`Closed with ${JSON.stringify(this.frames.slice(-3))}`);
      await new Promise<void>((resolve) => void this.#waiting.add(resolve));
    }
  }

  say(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
