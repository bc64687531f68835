import type { Msg } from "@nats-io/transport-node";

/** Where a message stands in its stream, as JetStream says in its reply subject. */
export interface Place {
  readonly sequence: number;
  /** The place among what one consumer was given: dense, so a jump is a message that was lost on the way. */
  readonly consumerSequence: number;
  /** Nanoseconds since the epoch, by the server's clock: another message at the same place has another. */
  readonly storedAt: string;
}

/** Reads `$JS.ACK.<stream>.<consumer>.<tries>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>`; null for others. */
export function placeOf(reply: string | undefined): Place | null {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return null;
  const parts = reply.split(".");
  // Servers with domains put a domain and an account in front of the stream, and a token behind.
  const at = parts.length > 9 ? 7 : 5;
  const [sequence, consumerSequence, storedAt, pending] = parts.slice(at, at + 4);
  if (storedAt === undefined || pending === undefined) return null;
  return {
    sequence: Number(sequence),
    consumerSequence: Number(consumerSequence),
    storedAt,
  };
}

/** The status code of a message that says something of the delivery instead of carrying data; 0 for data. */
export function statusOf(message: Msg): number {
  return message.data.length === 0 ? (message.headers?.code ?? 0) : 0;
}

/** True for what NATS says where nobody listens; whoever does may answer with nothing as well. */
export function isOfNobody(message: Msg): boolean {
  try {
    return statusOf(message) === 503;
  } catch {
    // Others may have written headers that the client refuses to read.
    return false;
  }
}
