import type { Appended, StarcastError } from "@starcast/core";
import type { Awaiting } from "./echoes.ts";
import { Message, type Outgoing } from "./message.ts";

/** What all events of a process have in common on their way, so that none of them carries it. */
export interface OwnEventHome {
  readonly epoch: string;
  /** The newest sequence known here. */
  readonly head: number;
  /** The stream gave a place again that it had given before; the error says so to who asked for it. */
  tailLost(sequence: number): StarcastError;
  /** Tells when everything through an acknowledged sequence is known here. */
  arrival(sequence: number, awaiting: Awaiting): void;
  saw(sequence: number, timestamp: string): void;
  /** When the event at a place was published; null when retention took it. */
  timestampAt(sequence: number): Promise<string | null>;
  toAppendError(error: unknown): StarcastError;
}

/** An event of this process on its way into the log: sent, acknowledged with its place, known here. One object for all. */
export class OwnEvent extends Message implements Awaiting {
  readonly #home: OwnEventHome;
  /** What had its place before it was sent. */
  readonly #after: number;
  readonly #timestamp: string;
  readonly #resolve: (appended: readonly Appended[]) => void;
  readonly #reject: (error: StarcastError) => void;
  #sequence = 0;
  #isDuplicate = false;

  constructor(
    home: OwnEventHome,
    outgoing: Outgoing,
    timestamp: string,
    resolve: (appended: readonly Appended[]) => void,
    reject: (error: StarcastError) => void,
  ) {
    super(outgoing);
    this.#home = home;
    this.#after = home.head;
    this.#timestamp = timestamp;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  acked(sequence: number, isDuplicate: boolean): void {
    if (!isDuplicate && sequence <= this.#after) return this.#reject(this.#home.tailLost(sequence));
    this.#sequence = sequence;
    this.#isDuplicate = isDuplicate;
    this.#home.arrival(sequence, this);
  }

  came(): void {
    if (!this.#isDuplicate) {
      this.#home.saw(this.#sequence, this.#timestamp);
      return this.#done(this.#timestamp);
    }
    this.#home.timestampAt(this.#sequence).then(
      (first) => this.#done(first ?? this.#timestamp),
      (error: unknown) => this.#reject(this.#home.toAppendError(error)),
    );
  }

  failed(error: StarcastError): void {
    this.#reject(this.#home.toAppendError(error));
  }

  #done(timestamp: string): void {
    const position = { epoch: this.#home.epoch, offset: this.#sequence };
    this.#resolve([{ position, timestamp, isDuplicate: this.#isDuplicate }]);
  }
}
