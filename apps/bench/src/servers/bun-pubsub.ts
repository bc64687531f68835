// Bun's own pub/sub, in Bun: one call per event, fanned out in native code.
import { obey } from "./contender.ts";

interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, text: string): number;
}

declare const Bun: {
  gc(isForced: boolean): void;
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    fetch(request: Request, server: BunServer): Response | undefined;
    readonly websocket: {
      readonly idleTimeout: number;
      open(socket: { subscribe(topic: string): void }): void;
      message(): void;
    };
  }): BunServer;
};

const topic = "events";
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, own) => (own.upgrade(request) ? undefined : new Response("expected an upgrade", { status: 426 })),
  websocket: { idleTimeout: 0, open: (socket) => socket.subscribe(topic), message: () => undefined },
});
obey(
  server.port,
  (event) => void server.publish(topic, JSON.stringify(event)),
  () => Bun.gc(true),
);
