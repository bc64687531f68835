import type { MsgHdrs } from "@nats-io/transport-node";
import type { StarcastError } from "@starcast/core";
import type { Ack, PublishAnswers } from "./publish-answer.ts";
import type { Reply } from "./reply-subjects.ts";

export interface Outgoing {
  readonly subject: string;
  readonly payload: string;
  /** Of the stream that takes the subject. */
  readonly answers: PublishAnswers;
  /** Asked when the message is sent, which may be later. */
  readonly headers?: (() => MsgHdrs | undefined) | undefined;
}

/** A message on its way, and who hears what became of it: one of both, once. One object, since there may be many. */
export abstract class Message implements Outgoing {
  readonly subject: string;
  readonly payload: string;
  readonly payloadBytes: number;
  readonly answers: PublishAnswers;
  readonly headers: (() => MsgHdrs | undefined) | undefined;
  /** Set by who sends it: until when it waits, which one in a row it was, and where it is answered. */
  deadline = 0;
  number = 0;
  reply: Reply | null = null;

  constructor({ subject, payload, answers, headers }: Outgoing) {
    this.subject = subject;
    this.payload = payload;
    this.answers = answers;
    this.payloadBytes = Buffer.byteLength(payload);
    this.headers = headers;
  }

  abstract acked(sequence: number, isDuplicate: boolean): void;
  abstract failed(error: StarcastError): void;
}

/** One whose outcome is a promise. */
export class AwaitedMessage extends Message {
  readonly #resolve: (ack: Ack) => void;
  readonly #reject: (error: StarcastError) => void;

  constructor(outgoing: Outgoing, resolve: (ack: Ack) => void, reject: (error: StarcastError) => void) {
    super(outgoing);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  acked(sequence: number, isDuplicate: boolean): void {
    this.#resolve({ sequence, isDuplicate });
  }

  failed(error: StarcastError): void {
    this.#reject(error);
  }
}
