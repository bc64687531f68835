import { connect, type Socket } from "node:net";

/** A TCP client that reads only when it is told to: what is not read fills the kernel's buffers, then the server's. */
export class SlowSocket {
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  #chunks: Buffer[] = [];
  #onChange: () => void = () => undefined;
  #isEnded = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
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
    return Buffer.concat(this.#chunks);
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
  readUntil(isEnough: (received: Buffer) => boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const { received } = this;
        if (!isEnough(received) && !this.#isEnded) return;
        this.#onChange = () => undefined;
        this.#socket.pause();
        if (isEnough(received)) resolve(received);
        else reject(new Error(`Expected more than ${received.length} bytes, got the end of the connection`));
      };
      this.#onChange = check;
      this.#socket.resume();
      check();
    });
  }

  /** Reads at least so many bytes more. */
  read(bytes: number): Promise<Buffer> {
    const before = this.received.length;
    return this.readUntil((received) => received.length >= before + bytes);
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return this.#ended;
  }
}
