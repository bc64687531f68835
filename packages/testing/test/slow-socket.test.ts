import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { SlowSocket } from "@starcast/testing";
import { afterEach, describe, expect, it } from "vitest";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, "close");
  }
});

describe("a slow socket", () => {
  it("reads nothing until it is told to, so that a server's buffers fill", async () => {
    const { socket, peer } = await connected();
    let isFull = false;
    for (let written = 0; written < 64 && !isFull; written += 1)
      isFull = !peer.write(Buffer.alloc(1_048_576)) && peer.writableLength > 8_388_608;
    expect(isFull).toBe(true);
    expect(socket.received).toHaveLength(0);
    const drained = once(peer, "drain");
    await socket.read(8_388_608);
    void socket.ended();
    await drained;
    await socket.close();
  });

  it("reads until it has what was asked for", async () => {
    const { socket, peer } = await connected();
    socket.write("hello");
    const [heard] = (await once(peer, "data")) as [Buffer];
    peer.write(`${heard.toString()} yourself`);
    expect((await socket.readUntil((received) => received.includes("yourself"))).toString()).toBe("hello yourself");
    await socket.close();
  });

  it("knows that the server ended it", async () => {
    const { socket, peer } = await connected();
    peer.destroy();
    await socket.ended();
    expect(socket.isEnded).toBe(true);
    await expect(socket.read(1)).rejects.toThrow(/end of the connection/);
  });
});

async function connected(): Promise<{ readonly socket: SlowSocket; readonly peer: Socket }> {
  const server = createServer();
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const socket = await SlowSocket.open({ port: (server.address() as AddressInfo).port });
  const [peer] = await accepted;
  // Who hangs up on a peer that still writes resets it.
  peer.on("error", () => peer.destroy());
  return { socket, peer };
}
