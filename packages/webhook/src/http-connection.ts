import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { AnswerReader, type AnswerLimits, type OnAnswer } from "./answer-reader.ts";
import { categoryOf } from "./attempt-error.ts";
import type { Connecting } from "./guarded-connect.ts";
import type { Answer, FailureCategory } from "./outcome.ts";

export interface HttpConnectionOptions {
  readonly limits: AnswerLimits;
  readonly connect: () => Connecting;
  /** Told once: it carries nothing any more, and its socket is closed. */
  readonly onGone: (connection: HttpConnection) => void;
}

/** One connection to a receiver: made with its first request, carries one at a time, and never lives on after a failure. */
export class HttpConnection {
  /** Until when the receiver keeps it idle; the owner's to set and to read. */
  idleUntil: number = 0;
  readonly #options: HttpConnectionOptions;
  readonly #reader: AnswerReader;
  #connecting: Connecting | null = null;
  #socket: Socket | null = null;
  #onAnswer: OnAnswer | null = null;
  #isEnded = false;

  constructor(options: HttpConnectionOptions) {
    this.#options = options;
    this.#reader = new AnswerReader(options.limits, (answer, keepMs) => this.#answered(answer, keepMs));
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Writes one request; `onAnswer` is told once what came of it, and for how long the connection may be used again. */
  send(head: string, body: Uint8Array, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    this.#reader.begin();
    const socket = this.#socket;
    if (socket === null) void this.#open(head, body);
    else {
      socket.ref();
      write(socket, head, body);
    }
  }

  /** Ends it at once, connected or not; a request under way fails as that, unless its status is known. Idempotent. */
  end(category: FailureCategory): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#connecting?.cancel();
    this.#socket?.destroy();
    this.#reader.end(category);
  }

  async #open(head: string, body: Uint8Array): Promise<void> {
    const connecting = this.#options.connect();
    this.#connecting = connecting;
    try {
      const socket = await connecting.socket;
      this.#connecting = null;
      this.#take(socket);
      // It may have been ended, or have closed, while nobody listened.
      if (this.#isEnded || socket.destroyed) this.#drop(socket);
      else write(socket, head, body);
    } catch (error) {
      this.#connecting = null;
      this.end(categoryOf(error));
      // Ended while it was being made: whoever waits for its end is told now.
      if (this.#socket === null) this.#options.onGone(this);
    }
  }

  #take(socket: Socket): void {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      if (!this.#reader.feed(bytes)) this.end("reset");
    });
    // The receiver will send no more: an answer without a length ends so.
    socket.on("end", () => this.end("reset"));
    socket.on("error", (error) => this.end(categoryOf(error)));
    socket.on("close", () => {
      this.end("reset");
      this.#options.onGone(this);
    });
  }

  #drop(socket: Socket): void {
    this.end("reset");
    socket.destroy();
    if (socket.closed) this.#options.onGone(this);
  }

  #answered(answer: Answer, keepMs: number): void {
    const onAnswer = this.#onAnswer;
    const socket = this.#socket;
    this.#onAnswer = null;
    // An answer that came before the request was written whole says nothing of the next one.
    const isKept = keepMs > 0 && !this.#isEnded && socket !== null && socket.writableLength === 0;
    // An idle connection is no reason for a process to stay.
    if (isKept) socket.unref();
    else this.end("reset");
    onAnswer?.(answer, isKept ? keepMs : 0);
  }
}

/** Bodies up to this size leave in one piece with their head: copying them costs less than a second piece. */
const smallBodyBytes = 2_048;

function write(socket: Socket, head: string, body: Uint8Array): void {
  if (body.length <= smallBodyBytes) {
    const whole = Buffer.allocUnsafe(head.length + body.length);
    whole.write(head, "latin1");
    whole.set(body, head.length);
    socket.write(whole);
    return;
  }
  socket.cork();
  socket.write(head, "latin1");
  socket.write(body);
  socket.uncork();
}
