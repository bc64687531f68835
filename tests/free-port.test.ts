import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort } from "./free-port.ts";

describe("a free port", () => {
  it("refuses whoever calls, until a server listens on it, and again when that has gone", async () => {
    const port = await freePort();
    for (let life = 0; life < 3; life += 1) {
      expect(await call(port)).toBe("ECONNREFUSED");
      const server = createServer((socket) => void socket.end()).listen(port, "127.0.0.1");
      await once(server, "listening");
      expect(await call(port)).toBe("connected");
      await once(server.close(), "close");
    }
  });

  it.runIf(process.platform === "linux")(
    "is taken while nobody listens, so that the system gives it to nobody",
    async () => {
      const port = await freePort();
      const isTaken = async (): Promise<boolean> => {
        const sockets = await readFile("/proc/net/tcp", "latin1");
        // 127.0.0.1 and the port, then whom it is connected to, and 01 for a connection that stands.
        const hex = port.toString(16).toUpperCase().padStart(4, "0");
        return new RegExp(`: 0100007F:${hex} \\S+ 01 `).test(sockets);
      };
      expect(await isTaken()).toBe(true);
      const server = createServer().listen(port, "127.0.0.1");
      await once(server, "listening");
      await once(server.close(), "close");
      expect(await isTaken()).toBe(true);
    },
  );
});

async function call(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket
      .once("connect", () => resolve("connected"))
      .once("error", ({ code }: NodeJS.ErrnoException) => resolve(`${code}`));
    socket.once("connect", () => socket.destroy());
  });
}
