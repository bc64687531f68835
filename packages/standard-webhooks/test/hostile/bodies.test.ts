import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { makeKey, sign, WebhookVerifier, type WebhookVerifierOptions } from "@starcast/standard-webhooks";
import { listen } from "../listen.ts";

const key = makeKey();
const body = '{"type":"model.added","data":{}}';
const maxBodyBytes = 64 * 1024;

const disposals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const dispose of disposals.splice(0)) await dispose();
});

describe("a sender over node:http", () => {
  it("who announces too much is answered 413 before a byte is read", async () => {
    const endpoint = await start();
    const sender = endpoint.connect();
    sender.write(head({ "content-length": String(maxBodyBytes + 1) }));
    expect(await answerOf(sender)).toMatch(/^HTTP\/1.1 413 .*"code":"body_too_large"/s);
    await endpoint.expectHealthy();
  });

  it("who sends too much without saying so is answered 413, and reads the answer", async () => {
    const endpoint = await start();
    const sender = endpoint.connect();
    sender.write(head({ "transfer-encoding": "chunked" }));
    const piece = "x".repeat(16 * 1024);
    for (let sent = 0; sent <= maxBodyBytes; sent += piece.length)
      sender.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    expect(await answerOf(sender)).toMatch(/^HTTP\/1.1 413 .*connection: close.*"code":"body_too_large"/s);
    await endpoint.expectHealthy();
  });

  it("who never stops sending is cut off", async () => {
    const endpoint = await start();
    const sender = endpoint.connect();
    sender.on("error", () => undefined);
    sender.write(head({ "transfer-encoding": "chunked" }));
    const piece = `4000\r\n${"x".repeat(0x4000)}\r\n`;
    const push = (): void => {
      while (!sender.destroyed && sender.write(piece));
    };
    sender.on("drain", push);
    push();
    sender.resume();
    await new Promise((resolve) => sender.on("close", resolve));
    await endpoint.expectHealthy();
  });

  it("who drips is answered 408 at the deadline", async () => {
    const endpoint = await start({ bodyTimeoutMs: 50 });
    const sender = endpoint.connect();
    sender.write(`${head({ "content-length": "10" })}x`);
    expect(await answerOf(sender)).toMatch(/^HTTP\/1.1 408 .*"code":"body_timed_out"/s);
    expect(endpoint.codes).toEqual(["body_timed_out"]);
    await endpoint.expectHealthy();
  });

  it("who goes away in the middle leaves nothing behind", async () => {
    const endpoint = await start();
    const sender = endpoint.connect();
    sender.write(`${head({ "content-length": "10" })}x`);
    await endpoint.requested;
    sender.destroy();
    await endpoint.failed;
    expect(endpoint.codes).toEqual(["body_aborted"]);
    await endpoint.expectHealthy();
  });

  it("who is gone before anybody reads is not waited for", async () => {
    const { receiver, codes } = mount({ bodyTimeoutMs: 60_000 });
    const answered = new Promise<void>((resolve, reject) => {
      void listen((incoming, response) => {
        incoming.on("error", () => undefined);
        // Something in front of the receiver takes its time, and the sender does not wait.
        incoming.on("close", () => void receiver.node(incoming, response).then(resolve, reject));
        sender.destroy();
      }).then((server) => {
        disposals.push(async () => server[Symbol.asyncDispose]());
        sender = connect(server.port, "127.0.0.1");
        sender.write(`${head({ "content-length": "10" })}x`);
      }, reject);
    });
    let sender: Socket;
    await answered;
    expect(codes).toEqual(["body_aborted"]);
  });

  it("who repeats a header of the signature is refused", async () => {
    const endpoint = await start();
    const headers = await sign({ id: "evt-1", timestamp: Date.now(), body, keys: key });
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"] as const) {
      const sender = endpoint.connect();
      sender.write(head({ ...headers, "content-length": String(body.length) }, `${name}: ${headers[name]}\r\n`) + body);
      expect(await answerOf(sender)).toMatch(/^HTTP\/1.1 400 .*"code":"malformed_header"/s);
    }
    await endpoint.expectHealthy();
  });

  it("may send exactly as much as is allowed, in many pieces", async () => {
    const endpoint = await start();
    const largest = `{"type":"a.b","data":"${"x".repeat(maxBodyBytes - 24)}"}`;
    expect(largest).toHaveLength(maxBodyBytes);
    expect(await endpoint.post(largest)).toBe(204);
    expect(await endpoint.post(`${largest} `)).toBe(413);
  });
});

describe("a sender over Fetch", () => {
  it("is stopped at the limit, at the deadline, and where it breaks", async () => {
    const { receiver, codes } = mount({ bodyTimeoutMs: 50 });
    const endless = streamOf(() => new Uint8Array(16 * 1024));
    expect((await receiver.fetch(request(endless.stream))).status).toBe(413);
    expect(endless.isCancelled()).toBe(true);

    const silent = streamOf(() => undefined);
    expect((await receiver.fetch(request(silent.stream))).status).toBe(408);
    expect(silent.isCancelled()).toBe(true);

    const broken = streamOf(() => {
      throw new Error("reset");
    });
    expect((await receiver.fetch(request(broken.stream))).status).toBe(400);
    expect(codes).toEqual(["body_too_large", "body_timed_out", "body_aborted"]);

    const announced = new Request("http://localhost/", {
      method: "POST",
      headers: { "content-length": "99999999" },
      body: "x",
    });
    expect((await receiver.fetch(announced)).status).toBe(413);
    expect((await receiver.fetch(new Request("http://localhost/", { method: "POST" }))).status).toBe(400);
  });
});

describe("an endpoint whose onError fails", () => {
  const away = new Error("logger away");
  const ways = {
    "by throwing": () => {
      throw away;
    },
    "by rejecting": async () => Promise.reject(away),
  };

  it.each(Object.entries(ways))("answers all the same, and tells the process: %s", async (_way, onError) => {
    const warned = once(process, "warning") as Promise<[Error]>;
    const receiver = new WebhookVerifier({ keys: key, onError }).receive(() => undefined);
    const answer = await receiver.fetch(new Request("http://localhost/", { method: "POST", body }));
    expect(answer.status).toBe(400);
    expect((await warned)[0]).toBe(away);
  });
});

describe("an endpoint without onError", () => {
  it("tells the process of its own failures, and not of what strangers send", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const receiver = new WebhookVerifier({ keys: key }).receive(() => {
      throw new Error("database away");
    });
    await receiver.fetch(new Request("http://localhost/", { method: "POST", body }));
    const headers = await sign({ id: "evt-1", timestamp: Date.now(), body, keys: key });
    const failed = once(process, "warning");
    expect((await receiver.fetch(new Request("http://localhost/", { method: "POST", body, headers }))).status).toBe(
      500,
    );
    await failed;
    process.off("warning", onWarning);
    expect(warnings.map(({ message }) => message)).toEqual(["database away"]);
  });
});

function mount(options: Partial<WebhookVerifierOptions>) {
  const codes: string[] = [];
  let onFailed = (): void => undefined;
  const failed = new Promise<void>((resolve) => (onFailed = resolve));
  const onError = ({ code }: { readonly code: string }): void => {
    codes.push(code);
    onFailed();
  };
  const receiver = new WebhookVerifier({ keys: key, maxBodyBytes, onError, ...options }).receive(() => undefined);
  return { receiver, codes, failed };
}

async function start(options: Partial<WebhookVerifierOptions> = {}) {
  const { receiver, codes, failed } = mount(options);
  let onRequested = (): void => undefined;
  const requested = new Promise<void>((resolve) => (onRequested = resolve));
  const server = await listen((incoming, response) => {
    onRequested();
    void receiver.node(incoming, response);
  });
  disposals.push(async () => server[Symbol.asyncDispose]());
  const post = async (content: string): Promise<number> => {
    const headers = await sign({ id: `evt-${crypto.randomUUID()}`, timestamp: Date.now(), body: content, keys: key });
    return (await fetch(server.url, { method: "POST", headers, body: content })).status;
  };
  return {
    codes,
    failed,
    requested,
    post,
    connect: (): Socket => connect(server.port, "127.0.0.1"),
    expectHealthy: async () => expect(await post(body)).toBe(204),
  };
}

function head(headers: Readonly<Record<string, string>>, extra = ""): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST / HTTP/1.1\r\nhost: localhost\r\n${lines.join("")}${extra}\r\n`;
}

/** What comes back, up to the end of its JSON; the connection may stay open longer. */
async function answerOf(sender: Socket): Promise<string> {
  let answer = "";
  for await (const piece of sender.setEncoding("utf8")) {
    answer += piece as string;
    if (answer.endsWith("}}")) break;
  }
  return answer;
}

function request(stream: ReadableStream<Uint8Array>): Request {
  const init: RequestInit & { duplex: "half" } = { method: "POST", body: stream, duplex: "half" };
  return new Request("http://localhost/", init);
}

function streamOf(pull: () => Uint8Array | undefined) {
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = pull();
      if (piece !== undefined) controller.enqueue(piece);
      return piece === undefined ? new Promise<void>(() => undefined) : undefined;
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  return { stream, isCancelled: () => isCancelled };
}
