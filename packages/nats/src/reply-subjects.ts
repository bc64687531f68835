/** Where one message is answered. */
export interface Reply {
  readonly subject: string;
  readonly number: number;
  /** The place of the message answered here before: what is sent later stands behind it, or is not what was answered. */
  lastSequence: number;
}

/**
 * Reply subjects below one prefix. A subject is used again once its message has its place; one that was never answered, or
 * by a refusal, never is, so that no late answer is another's. Hot path: servers remember the way of some hundred subjects,
 * and look for every other one anew; with new ones each, JetStream acknowledges a tenth less.
 */
export class ReplySubjects {
  readonly #prefix: string;
  #free: Reply[] = [];
  #next = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  takeNew(): Reply {
    const number = (this.#next += 1);
    return { subject: this.#prefix + String(number), number, lastSequence: 0 };
  }

  take(): Reply {
    return this.#free.pop() ?? this.takeNew();
  }

  giveBack(reply: Reply, sequence: number): void {
    reply.lastSequence = sequence;
    this.#free.push(reply);
  }

  /** From now on, all are new: what was known of their places may not hold any more. */
  forget(): void {
    this.#free = [];
  }

  /** The number of the one at which something was answered. */
  numberOf(subject: string): number {
    return Number(subject.slice(this.#prefix.length));
  }
}
