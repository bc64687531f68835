// A program for Bun and Deno: receives over real sockets, in the servers of that runtime, and prints what went wrong.
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { WebhookVerifier, makeKey, sign, type Receiver } from "../src/index.ts";

interface Runtimes {
  readonly Bun?: { serve(options: object): { readonly port: number; stop(force: boolean): unknown } };
  readonly Deno?: {
    serve(options: object, handler: object): { readonly addr: { readonly port: number }; shutdown(): unknown };
  };
}

const { Bun, Deno } = globalThis as Runtimes;
const key = makeKey();
const body = '{"type":"a.b","data":"été"}';
const wrong: string[] = [];
let count = 0;

/** Each server there is, by its own name: gives its port, and how to end it. */
const servers: Readonly<Record<string, (receiver: Receiver) => Promise<readonly [number, () => unknown]>>> = {
  "node:http": (receiver) =>
    new Promise((resolve) => {
      const server = createServer((request, response) => void receiver.node(request, response));
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve([typeof address === "object" ? (address?.port ?? 0) : 0, () => server.close()]);
      });
    }),
  ...(Bun !== undefined && {
    "Bun.serve": async ({ fetch }) => {
      const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
      return [server.port, () => server.stop(true)];
    },
  }),
  ...(Deno !== undefined && {
    "Deno.serve": async ({ fetch }) => {
      const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => undefined }, fetch);
      return [server.addr.port, () => server.shutdown()];
    },
  }),
};

for (const [name, serve] of Object.entries(servers)) {
  const codes: string[] = [];
  const data: unknown[] = [];
  const aborted = signal();
  const requested = signal();
  const start = (bodyTimeoutMs: number): ReturnType<typeof serve> => {
    const onError = ({ code }: { readonly code: string }): void => {
      codes.push(code);
      if (code === "body_aborted") aborted.give();
    };
    const verifier = new WebhookVerifier({ keys: key, maxBodyBytes: 1000, bodyTimeoutMs, onError });
    const { node, fetch } = verifier.receive((event) => void data.push(event.data));
    return serve({
      node: async (request, response) => {
        requested.give();
        return node(request, response);
      },
      fetch: async (request) => {
        requested.give();
        return fetch(request);
      },
    });
  };
  const [port, stop] = await start(10_000);
  const [hastyPort, stopHasty] = await start(50);
  const post = async (id: string, content: string | ReadableStream, signed = body): Promise<number> => {
    const headers = await sign({ id, timestamp: Date.now(), body: signed, keys: key });
    const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body: content, duplex: "half" };
    const answer = await fetch(`http://127.0.0.1:${port}/`, init);
    await answer.body?.cancel();
    return answer.status;
  };
  const check = async (what: string, expected: unknown, got: Promise<unknown>): Promise<void> => {
    count += 1;
    const value = await got.catch(String);
    if (JSON.stringify(value) !== JSON.stringify(expected)) {
      wrong.push(`${name}, ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(value)}`);
    }
  };
  // The first request is the one that goes away.
  const leaving = halfSent(port);
  await requested.given;
  leaving.destroy();
  await check(
    "gone in the middle",
    ["body_aborted"],
    aborted.given.then(() => codes.splice(0)),
  );
  await check("signed", 204, post("a", body));
  await check("in pieces", 204, post("b", pieces(body, 5)));
  await check("forged", 400, post("c", `${body} `));
  await check("too large, announced", 413, post("d", "x".repeat(1001)));
  await check("too large, in pieces", 413, post("e", pieces("x".repeat(100_000), 500)));
  await check("empty", 400, post("f", "", ""));
  await check("dripping", "HTTP/1.1 408", firstBytesOf(halfSent(hastyPort), 12));
  await check("healthy afterwards", 204, post("g", body));
  const expectedCodes = ["no_matching_key", "body_too_large", "body_too_large", "malformed_body", "body_timed_out"];
  await check("codes", expectedCodes, Promise.resolve(codes));
  await check("data", ["été", "été", "été"], Promise.resolve(data));
  await stop();
  await stopHasty();
}

console.log(wrong.length === 0 ? `${count} checks passed` : wrong.join("\n"));
// Of a runtime that keeps a socket in its pool nothing more is asked.
process.exit(wrong.length === 0 ? 0 : 1);

/** Sends half of the body that it announces, and stays. */
function halfSent(port: number): Socket {
  const sender = connect(port, "127.0.0.1").on("error", () => undefined);
  sender.write("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhello");
  return sender;
}

async function firstBytesOf(socket: Socket, count: number): Promise<string> {
  const [answer] = (await once(socket, "data")) as [Uint8Array];
  socket.destroy();
  return new TextDecoder().decode(answer).slice(0, count);
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}

function pieces(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
}
