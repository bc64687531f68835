import { findService } from "../../../../tests/find-service.ts";
import { NatsServer } from "../../../../tests/nats-server.ts";

/** A nats-server with JetStream, on a free port. */
export function startNats(): Promise<NatsServer> {
  const program = findService("nats-server");
  if (program === undefined) throw new Error("Expected nats-server to be installed, found it nowhere on PATH");
  return NatsServer.start(program);
}

/** Runs `count` times, so many at once, the next as soon as one is done; resolves with how often per second. */
export async function atOnce(window: number, count: number, run: () => Promise<unknown>): Promise<number> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await run();
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: window }, lane));
  return (count * 1_000) / (performance.now() - startedAt);
}
