import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { CrowdServer } from "./crowd/crowd.ts";

const clients = 1_000;
/** The drain's own: 10 ms per client, up to 10 s, and an end after 25 s. */
const [spreadMs, deadlineMs] = [10_000, 25_000];

describe("SIGTERM to a process with a thousand clients", () => {
  it("sends them away spread over its window, refuses new ones, and ends by itself within its deadline", async () => {
    const server = await CrowdServer.start({ stallMs: 30_000 });
    const crowd: Leaver[] = [];
    onTestFinished(() => crowd.forEach((leaver) => leaver.end()));
    while (crowd.length < clients) {
      const arriving = Array.from({ length: 100 }, (_, n) =>
        n % 2 === 0 ? openSocket(server.url) : openStream(server.url),
      );
      crowd.push(...arriving);
      await Promise.all(arriving.map(({ greeted }) => greeted));
    }
    const lastWords = once(server.child, "message") as Promise<[{ readonly undone: readonly string[] }]>;
    const exited = once(server.child, "exit");
    const startedAt = performance.now();
    server.child.kill("SIGTERM");

    await Promise.race(crowd.map(({ left }) => left));
    const refused = await fetch(server.url);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    await refused.body?.cancel();
    const late = new WebSocket(server.url.replace("http", "ws"));
    late.on("error", () => undefined);
    const [, answer] = (await once(late, "unexpected-response")) as [unknown, IncomingMessage];
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    answer.resume();

    const farewells = await Promise.all(crowd.map(({ left }) => left));
    expect((await lastWords)[0]).toEqual({ undone: [] });
    expect(await exited).toEqual([0, null]);
    // Its own deadline is counted by itself; this is that the process did not stay longer than a supervisor waits.
    expect(performance.now() - startedAt).toBeLessThan(deadlineMs + 5_000);

    expect(new Set(farewells.map(({ reason }) => reason))).toEqual(new Set(["restart"]));
    const codes = farewells.map(({ code }) => code);
    expect([codes.filter((code) => code === 1012).length, codes.filter((code) => code === null).length]).toEqual([
      clients / 2,
      clients / 2,
    ]);
    const times = farewells.map(({ at }) => at - startedAt).sort((a, b) => a - b);
    // Not one crowd that leaves, nor one that comes back: a late first one would still leave more than half of the window.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(spreadMs / 2);
    const perSecond = new Map<number, number>();
    for (const at of times) perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1);
    expect(perSecond.size).toBeGreaterThanOrEqual(5);
    expect(new Set(farewells.map(({ reconnectInMs }) => reconnectInMs)).size).toBeGreaterThan(100);
  });
});

interface Farewell {
  readonly reason: string;
  readonly reconnectInMs: number;
  readonly at: number;
  /** Of the close frame; a stream has none. */
  readonly code: number | null;
}

interface Leaver {
  readonly greeted: Promise<void>;
  readonly left: Promise<Farewell>;
  end(): void;
}

interface Frame {
  readonly type: string;
  readonly data: { readonly reason: string; readonly reconnectInMs: number };
}

function openSocket(url: string): Leaver {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.on("error", () => undefined);
  return leaver(
    (take) => socket.on("message", (frame: Buffer) => take(frame.toString())),
    (onClosed) => socket.on("close", (code) => onClosed(code)),
    () => socket.terminate(),
  );
}

function openStream(url: string): Leaver {
  const request = get(url, { agent: false });
  request.on("error", () => undefined);
  return leaver(
    (take) =>
      request.on("response", (response: IncomingMessage) => {
        let rest = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const blocks = (rest + text).split("\n\n");
          rest = blocks.pop() ?? "";
          for (const block of blocks) take(/^data: (.*)$/m.exec(block)?.[1] ?? "{}");
        });
      }),
    (onClosed) => request.on("close", () => onClosed(null)),
    () => request.destroy(),
  );
}

function leaver(
  hear: (take: (frame: string) => void) => unknown,
  whenClosed: (onClosed: (code: number | null) => void) => unknown,
  end: () => void,
): Leaver {
  let greet: () => void = () => undefined;
  const greeted = new Promise<void>((resolve) => (greet = resolve));
  let told: Omit<Farewell, "code"> | null = null;
  hear((text) => {
    const { type, data } = JSON.parse(text) as Partial<Frame>;
    if (type === "client.connected") greet();
    if (type === "client.closing" && data !== undefined) told = { ...data, at: performance.now() };
  });
  const left = new Promise<Farewell>((resolve, reject) => {
    whenClosed((code) => {
      if (told === null) reject(new Error("Expected client.closing before the end"));
      else resolve({ ...told, code });
    });
  });
  return { greeted, left, end };
}
