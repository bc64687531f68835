import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A TCP connection that is written and read as bytes: what no HTTP library would send, or would hide. */
export class RawConversation {
  readonly socket: Socket;
  text = "";
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (bytes: string) => {
      this.text += bytes;
      this.#changed();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#changed());
  }

  static async open(port: number): Promise<RawConversation> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    onTestFinished(() => void socket.destroy());
    return new RawConversation(socket);
  }

  say(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves once this was received, or rejects when the connection ended without it. */
  async until(isThere: string | RegExp): Promise<string> {
    const hasIt = (): boolean => (typeof isThere === "string" ? this.text.includes(isThere) : isThere.test(this.text));
    while (!hasIt()) {
      if (this.socket.closed)
        throw new Error(`Expected ${String(isThere)}, got ${JSON.stringify(this.text.slice(-500))}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.text;
  }

  async closed(): Promise<string> {
    // A reset is an end too.
    if (!this.socket.closed) await new Promise((resolve) => void this.socket.once("close", resolve));
    return this.text;
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
