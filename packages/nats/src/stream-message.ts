import type { Msg } from "@nats-io/transport-node";

/** Where a message stands in its stream, as JetStream says in its reply subject. */
export interface Place {
  readonly sequence: number;
  /** The place among what one consumer was given: dense, so a jump is a message that was lost on the way. */
  readonly consumerSequence: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly storedAt: number;
  /** How many more the consumer has to give. */
  readonly pending: number;
}

/** Reads `$JS.ACK.<stream>.<consumer>.<tries>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>`; null for others. */
export function placeOf(reply: string | undefined): Place | null {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return null;
  const parts = reply.split(".");
  // Servers with domains put a domain and an account in front of the stream, and a token behind.
  const at = parts.length > 9 ? 7 : 5;
  const [sequence, consumerSequence, nanoseconds, pending] = parts.slice(at, at + 4);
  if (pending === undefined) return null;
  return {
    sequence: Number(sequence),
    consumerSequence: Number(consumerSequence),
    storedAt: Number(nanoseconds?.slice(0, -6)),
    pending: Number(pending),
  };
}

/** The status code of a message that says something of the delivery instead of carrying data; 0 for data. */
export function statusOf(message: Msg): number {
  return message.data.length === 0 ? (message.headers?.code ?? 0) : 0;
}
