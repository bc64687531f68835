import { connect, type Socket } from "node:net";

/** A TCP client that reads only when it is told to: what is not read fills the kernel's buffers, then the server's. */
export class SlowSocket {
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #onChange: () => void = () => undefined;
  #isEnded = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#onChange();
    });
    // A reset is one way for a server to end it; that it ended is what tests ask for.
    socket.on("error", () => socket.destroy());
    this.#ended = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isEnded = true;
        this.#onChange();
        resolve();
      });
    });
  }

  /** Resolves when the connection stands; nothing is read yet. */
  static open(address: { readonly port: number; readonly host?: string | undefined }): Promise<SlowSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", ...address });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SlowSocket(socket));
      });
    });
  }

  /** What was read so far. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** True when the server ended the connection, as far as a reader can know. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Resolves when the connection is gone; reads on, since an end behind unread bytes is not seen. */
  ended(): Promise<void> {
    this.#socket.resume();
    return this.#ended;
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Reads until the bytes so far satisfy `isEnough`, then stops reading; rejects when the connection ends before. */
  async readUntil(isEnough: (received: Buffer) => boolean): Promise<Buffer> {
    await this.#readWhile(() => !isEnough(this.received));
    return this.received;
  }

  /** Reads at least so many bytes more. */
  async read(bytes: number): Promise<Buffer> {
    const wanted = this.#bytes + bytes;
    await this.#readWhile(() => this.#bytes < wanted);
    return this.received;
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return this.#ended;
  }

  #readWhile(isMissing: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const isDone = !isMissing();
        if (!isDone && !this.#isEnded) return;
        this.#onChange = () => undefined;
        this.#socket.pause();
        if (isDone) resolve();
        else reject(new Error(`Expected more than ${this.#bytes} bytes, got the end of the connection`));
      };
      this.#onChange = check;
      this.#socket.resume();
      check();
    });
  }
}
