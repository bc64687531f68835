import { createServer } from "node:http";
import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Broker, MemoryStore, parsePosition, type Position } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { seededRandom, type SeededRandom } from "@starcast/testing";
import { WebSocketGateway } from "@starcast/websocket";

const clients = 60;
const events = 3_000;

describe("a storm of reconnects over both transports", () => {
  it("leaves every client with every event once, in order, or inside an exact gap", async () => {
    const seed = Number(process.env["SEED"] ?? 20_261_123);
    const random = seededRandom(seed);
    const { broker, url } = await house();
    const lives = Array.from(
      { length: clients },
      (_, index) => new Life(url, index % 2 === 0 ? "websocket" : "sse", random),
    );
    await Promise.all(lives.map((life) => life.connected()));

    for (let published = 0; published < events; published += 1) {
      void broker.publish("storm.event", { number: published });
      if (published % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (published % 5 === 0) lives[Math.floor(random.next() * lives.length)]?.shake();
    }
    await Promise.all(lives.map((life) => life.reached(broker.position.offset)));

    for (const life of lives) expect(judge(life), `seed ${seed}`).toBe("whole");
    expect(lives.reduce((sum, { reconnects }) => sum + reconnects, 0)).toBeGreaterThan(clients);
    expect(
      lives.some(({ gaps }) => gaps.length > 0),
      "some were away for longer than the log retains",
    ).toBe(true);
  });
});

interface GapSeen {
  readonly after: number;
  readonly through: number;
}

/** One client over all its connections: it only knows the wire, and resumes from the last place it was told. */
class Life {
  readonly history: (number | GapSeen)[] = [];
  readonly gaps: GapSeen[] = [];
  reconnects = 0;
  readonly #url: string;
  readonly #transport: "websocket" | "sse";
  readonly #random: SeededRandom;
  #place: Position | null = null;
  #cut: () => void = () => undefined;
  #isAway = false;
  #waiters: (() => void)[] = [];

  constructor(url: string, transport: "websocket" | "sse", random: SeededRandom) {
    this.#url = url;
    this.#transport = transport;
    this.#random = random;
    this.#connect();
  }

  connected(): Promise<void> {
    return this.#until(() => this.#place !== null);
  }

  reached(offset: number): Promise<void> {
    if (this.#isAway) this.#connect();
    return this.#until(() => this.#place !== null && this.#place.offset >= offset);
  }

  /** Loses its connection; comes back at once, or only when it is shaken again. */
  shake(): void {
    if (this.#isAway) return this.#connect();
    this.#cut();
    if (this.#random.next() < 0.3) this.#isAway = true;
    else this.#connect();
  }

  #connect(): void {
    this.#isAway = false;
    this.reconnects += 1;
    const after = this.#place === null ? "" : `?after=${this.#place.epoch}-${this.#place.offset}`;
    let isCut = false;
    const take = (frame: string): void => {
      if (!isCut) this.#take(JSON.parse(frame) as Frame);
    };
    const end =
      this.#transport === "websocket" ? openWebSocket(this.#url + after, take) : openStream(this.#url + after, take);
    this.#cut = () => {
      isCut = true;
      end();
    };
    onTestFinished(end);
  }

  #take({ id, type, data }: Frame): void {
    if (type === "client.connected") {
      this.#place ??= parsePosition(data.position ?? "");
      this.#firstOffset ??= this.#place?.offset ?? 0;
    } else if (type === "client.gap") {
      const gap = {
        after: parsePosition(data.after ?? "")?.offset ?? -1,
        through: parsePosition(data.through ?? "")?.offset ?? -1,
      };
      this.gaps.push(gap);
      this.history.push(gap);
      this.#place = parsePosition(data.through ?? "");
    } else if (id !== undefined) {
      this.#place = parsePosition(id);
      this.history.push(this.#place?.offset ?? -1);
    }
    this.#waiters.splice(0).forEach((look) => look());
  }

  #firstOffset: number | null = null;

  get startedAt(): number {
    return this.#firstOffset ?? 0;
  }

  #until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => void (isTrue() ? resolve() : this.#waiters.push(look));
      look();
    });
  }
}

/** Every offset after the start once, in order, or named by a gap that begins right after the last one. */
function judge(life: Life): string {
  let place = life.startedAt;
  for (const entry of life.history) {
    if (typeof entry === "number") {
      if (entry !== place + 1) return `after ${place} came ${entry}`;
      place = entry;
    } else {
      if (entry.after !== place || entry.through <= place)
        return `after ${place} came a gap after ${entry.after} through ${entry.through}`;
      place = entry.through;
    }
  }
  return "whole";
}

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly data: { readonly position?: string; readonly after?: string | null; readonly through?: string };
}

function openWebSocket(url: string, take: (frame: string) => void): () => void {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.on("message", (frame: Buffer) => take(frame.toString()));
  // A connection that is cut while it opens ends with an error, as it should.
  socket.on("error", () => undefined);
  return () => socket.terminate();
}

function openStream(url: string, take: (frame: string) => void): () => void {
  let rest = "";
  const request = get(url, (response) => {
    response.setEncoding("utf8").on("data", (text: string) => {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) take(data);
      }
    });
    response.on("error", () => undefined);
  });
  request.on("error", () => undefined);
  return () => request.destroy();
}

async function house(): Promise<{ readonly broker: Broker; readonly url: string }> {
  const broker = new Broker({
    observe: [],
    store: new MemoryStore({ retention: { maxEvents: 400 } }),
    drain: { spreadMs: 0, deadlineMs: 1_000 },
  });
  const connections = { maxPerAddress: Infinity, maxNewPerSecond: Infinity };
  const sse = new SseGateway(broker, { authorize: allowAnyone, connections });
  const server = createServer((request, response) => sse.handle(request, response));
  new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, connections });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { broker, url: `http://127.0.0.1:${port}/events` };
}
