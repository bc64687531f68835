import { once } from "node:events";
import { createServer, get, ServerResponse, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { httpChunk } from "./http-chunk.ts";
import { RawSocket, rawSocketOf } from "./raw-socket.ts";

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(handler: Handler): Promise<number> {
  server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** What a server sends on one connection: until this text, or the end of the connection. */
async function exchange(port: number, request: string, until = "\0"): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(request);
  let received = "";
  for await (const bytes of socket) {
    received += String(bytes);
    if (received.includes(until)) break;
  }
  return received;
}

const chunk = (text: string): Uint8Array => httpChunk(new TextEncoder().encode(text));

/** Whether the raw way is open for a response that was prepared so. */
async function isRaw(
  prepare: Handler,
  request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
): Promise<boolean> {
  let isOpen = false;
  const port = await serve((req, res) => {
    prepare(req, res);
    isOpen = rawSocketOf(req, res) !== null;
    if (!res.writableEnded) res.end("done");
  });
  await exchange(port, request);
  return isOpen;
}

describe("the socket under a response", () => {
  it("may be written to once the head is flushed", async () => {
    expect(await isRaw((_req, res) => res.writeHead(200).flushHeaders())).toBe(true);
  });

  it.each<[string, Handler]>([
    ["the head is not flushed", () => undefined],
    ["the response was ended", (_req, res) => res.writeHead(200).end()],
    ["the content is encoded", (_req, res) => res.setHeader("Content-Encoding", "identity").flushHeaders()],
    ["the length is fixed", (_req, res) => res.writeHead(200, { "Content-Length": "4" }).flushHeaders()],
    ["`write` is patched", (_req, res) => patch(res, "write").flushHeaders()],
    ["`end` is patched", (_req, res) => patch(res, "end").flushHeaders()],
    ["`writeHead` is patched", (_req, res) => patch(res, "writeHead").flushHeaders()],
    [
      "a prototype between is patched",
      (_req, res) =>
        Object.setPrototypeOf(
          res,
          patch(Object.create(ServerResponse.prototype) as ServerResponse, "write"),
        ).flushHeaders(),
    ],
    [
      "the response is corked",
      (_req, res) => {
        res.flushHeaders();
        res.cork();
      },
    ],
    [
      "the response still holds bytes",
      (_req, res) => {
        res.cork();
        res.write("held");
      },
    ],
  ])("may not when %s", async (_when, prepare) => {
    expect(await isRaw(prepare)).toBe(false);
  });

  it("may not for HTTP/1.0, which has no chunks", async () => {
    expect(await isRaw((_req, res) => res.flushHeaders(), "GET / HTTP/1.0\r\n\r\n")).toBe(false);
  });

  it("may not while an earlier response of a pipelined connection has it", async () => {
    const first: ServerResponse[] = [];
    const ways: boolean[] = [];
    const port = await serve((req, res) => {
      res.flushHeaders();
      ways.push(rawSocketOf(req, res) !== null);
      first.push(res);
      if (first.length === 2) for (const each of first) each.end("x");
    });
    await exchange(
      port,
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
      "x\r\n0\r\n\r\nHTTP/1.1 200 OK",
    );
    expect(ways).toEqual([true, false]);
  });
});

function patch(res: ServerResponse, method: "write" | "end" | "writeHead"): ServerResponse {
  const original = res[method] as (...args: unknown[]) => unknown;
  return Object.assign(res, { [method]: (...args: unknown[]) => original.apply(res, args) });
}

describe("chunks written to the socket", () => {
  it("are the body that an HTTP client reads", async () => {
    const port = await serve((req, res) => {
      res.flushHeaders();
      const sink = openSink(req, res);
      sink.write(chunk("one "));
      sink.write(chunk("two"));
      sink.end();
    });
    const [response] = (await once(get({ port, host: "127.0.0.1" }), "response")) as [IncomingMessage];
    expect(String(Buffer.concat(await response.toArray()))).toBe("one two");
  });

  // A middleware that answers late requests by itself ends the response; its keep-alive socket then carries the next
  // one, in which a stray chunk would be a response of the publisher's making.
  it("stop when somebody else ends the response, and never reach the next one", async () => {
    let old: RawSocket | undefined;
    const port = await serve((req, res) => {
      if (req.url === "/1") {
        res.flushHeaders();
        old = openSink(req, res);
        old.write(chunk("one"));
        res.end();
      } else {
        expect(old?.write(chunk("stray"))).toBe(false);
        res.end("two");
      }
    });
    const received = await exchange(
      port,
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
      "two",
    );
    expect(received).toContain("3\r\none\r\n0\r\n\r\nHTTP/1.1 200 OK");
    expect(received).not.toContain("stray");
  });

  it("fill it when they have not left, and it tells of room once they have", async () => {
    const told: string[] = [];
    let pending = -1;
    let readOn: (() => void) | undefined;
    const isFull = new Promise<void>((resolve, reject) => {
      serve((req, res) => {
        res.flushHeaders();
        const sink = openSink(req, res);
        sink.owner = {
          onRoom: () => res.end(told.push("room") === 1 ? "end of stream" : ""),
          onGone: () => told.push("gone"),
        };
        const piece = chunk("x".repeat(65_000));
        for (let written = 0; written < 4_000 && sink.write(piece); written += 1);
        pending = res.socket?.writableLength ?? -1;
        resolve();
        readOn?.();
      }).then((port) => {
        const socket = connect(port, "127.0.0.1");
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        socket.pause();
        readOn = () => drain(socket);
      }, reject);
    });
    await isFull;
    await once(server, "request-over").catch(() => undefined);
    expect(pending).toBeGreaterThan(0);
    expect(pending).toBeLessThanOrEqual(65_100);
    expect(told).toEqual(["room", "gone"]);
  });

  function drain(socket: Socket): void {
    socket.on("data", (bytes) => {
      if (!String(bytes).includes("0\r\n\r\n")) return;
      socket.destroy();
    });
    socket.once("close", () => setImmediate(() => server.emit("request-over")));
    socket.resume();
  }
});

function openSink(req: IncomingMessage, res: ServerResponse): RawSocket {
  const socket = rawSocketOf(req, res);
  if (socket === null) throw new Error("Expected the raw way to be open");
  return new RawSocket(res, socket);
}
