import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";

let holder: Promise<Server> | undefined;

/**
 * A free port of the loopback interface that nobody else is given until this process ends: neither before the server it
 * is for has begun, nor while that server is away to come back. Until it listens, connections are refused.
 */
export async function freePort(): Promise<number> {
  const { port: ours } = addressOf(await (holder ??= listen()));
  for (;;) {
    const server = await listen();
    const { port } = addressOf(server);
    await once(server.close(), "close");
    if (await isHeld(port, ours)) return port;
  }
}

/**
 * A connection that goes out from the port: Linux then gives it to nobody who asks for any, and still lets a server
 * listen on it that asks for it by its number. Other systems would not let it, so nothing is held there.
 */
async function isHeld(port: number, to: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const hold = connect({ host: "127.0.0.1", port: to, localAddress: "127.0.0.1", localPort: port });
  return new Promise((resolve) => {
    hold.once("connect", () => resolve(true)).once("error", () => resolve(false));
    hold.unref();
  });
}

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.unref()).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.unref();
}

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo;
}
