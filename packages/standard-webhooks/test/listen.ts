import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";

/** A server on a free port of loopback, until disposed. */
export async function listen(
  app: RequestListener | FastifyInstance,
): Promise<{ readonly url: string; readonly port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = await open(app);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (typeof app !== "function") await app.close();
    },
  };
}

async function open(app: RequestListener | FastifyInstance): Promise<Server> {
  if (typeof app !== "function") {
    await app.listen({ host: "127.0.0.1", port: 0 });
    return app.server;
  }
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
