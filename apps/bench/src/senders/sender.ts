// A contender that sends webhooks, in a process of its own: sends as many as it is told, and says how long that took.

/** Sends so many webhooks; resolves when the last one was answered, and kept if it keeps anything. */
export type Send = (count: number) => Promise<void>;

export interface SendRequest {
  readonly kind: "send";
  readonly count: number;
}

/** What every contender sends: about 200 bytes. */
export const data = { id: "openai/gpt-x", price: 1.25, note: "x".repeat(60) };

/** The event around it, for contenders that have no broker to make it. */
export function envelope(offset: number): string {
  const id = `abcd1234-${offset}`;
  return JSON.stringify({ id, type: "model.updated", timestamp: new Date().toISOString(), data });
}

/** Connections at once, for all that keep several. */
export const connections = 32;

/** Where the sink listens. */
export const origin = process.argv[2] ?? "";

export function serveSender(send: Send): void {
  process.on("message", (message: SendRequest) => void run(message.count));

  // No collection before the clock starts: it makes the engine forget code it has optimised, which a service's never does.
  // Everybody pays for garbage when it comes, in its own process.
  async function run(count: number): Promise<void> {
    const started = process.hrtime.bigint();
    await send(count);
    process.send?.({ kind: "sent", ms: Number(process.hrtime.bigint() - started) / 1e6 });
  }
  process.send?.({ kind: "ready" });
}
