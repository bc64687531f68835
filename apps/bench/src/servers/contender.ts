// A contender in a process of its own: listens, then publishes what it is told, and says what that cost.
import type { Server } from "node:http";

/** What a contender has to bring: somewhere to connect, and one call per publication. */
export interface Contender {
  readonly server: Server;
  publish(event: {
    readonly id: string;
    readonly type: string;
    readonly timestamp: string;
    readonly data: unknown;
  }): void;
}

export interface PublishRequest {
  readonly kind: "publish";
  readonly turns: number;
  readonly perTurn: number;
}

export interface Cost {
  readonly kind: "published";
  readonly cpuMs: number;
}

/** About 200 bytes of envelope; the marker stands in each exactly once. */
export const marker = '"timestamp"';
const data = { id: "openai/gpt-x", price: 1.25, note: "x".repeat(60) };

export function serve(contender: Contender): void {
  let offset = 0;
  let before = process.cpuUsage();
  contender.server.listen(0, "127.0.0.1", () => {
    const address = contender.server.address();
    process.send?.({ kind: "listening", port: typeof address === "object" ? address?.port : 0 });
  });
  process.on("message", (message: PublishRequest | { readonly kind: "cost" } | { readonly kind: "memory" }) => {
    if (message.kind === "publish") {
      before = process.cpuUsage();
      void publish(message);
    } else if (message.kind === "cost") {
      const { user, system } = process.cpuUsage(before);
      process.send?.({ kind: "cost", cpuMs: (user + system) / 1_000 });
    } else {
      globalThis.gc?.();
      globalThis.gc?.();
      process.send?.({ kind: "memory", bytes: process.memoryUsage().rss });
    }
  });

  async function publish({ turns, perTurn }: PublishRequest): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      for (let index = 0; index < perTurn; index += 1) {
        contender.publish({
          id: `abcd1234-${(offset += 1)}`,
          type: "model.updated",
          timestamp: new Date().toISOString(),
          data,
        });
      }
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
}
