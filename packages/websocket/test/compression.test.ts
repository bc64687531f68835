import { MemoryStore } from "@starcast/core";
import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { WebSocketOptions } from "../src/index.ts";
import { Client } from "./client.ts";
import { openHouse, type House } from "./listen.ts";
import { clientFrame, rawUpgrade, readHead, serverFrames } from "./raw-upgrade.ts";

const shared = { compression: "shared", minCompressedClients: 1 } as const;

const model = (n: number, text = "") => ({
  model: { id: `provider/model-${n % 40}`, name: `Model ${n}`, context: 128_000 + n, text },
  reason: "the price list of the provider has changed",
});

const publish = async ({ broker }: House, count: number, text?: string): Promise<void> => {
  await Promise.all(Array.from({ length: count }, (_, n) => broker.publish("model.updated", model(n, text))));
};

/** What the server wrote on the connection of each client so far. */
const written = ({ sockets }: House): readonly number[] => sockets.map(({ bytesWritten }) => bytesWritten);

const house = (gateway: Partial<WebSocketOptions> = {}) => openHouse({ gateway: { ...shared, ...gateway } });

describe("a gateway with `compression: shared`", () => {
  it("sends a fraction of the bytes to a client that offers permessage-deflate, which reads the same", async () => {
    const open = await house();
    const [packed, plain] = [new Client(open.url), new Client(open.url, [], { perMessageDeflate: false })];
    for (const client of [packed, plain]) await client.frame("client.connected");
    expect(packed.socket.extensions).toBe("permessage-deflate");
    expect(plain.socket.extensions).toBe("");
    const before = written(open);
    for (let turn = 0; turn < 20; turn += 1) await publish(open, 10);
    expect(await packed.eventCount(200)).toEqual(await plain.eventCount(200));
    const [few = 0, many = 0] = written(open).map((bytes, index) => bytes - (before[index] ?? 0));
    expect(few).toBeLessThan(many / 5);
    expect(few).toBeGreaterThan(0);
  });

  it("writes the same frames to all who were there before, and others to who comes later until it has the window", async () => {
    const open = await house();
    const early = [new Client(open.url), new Client(open.url)];
    for (const client of early) await client.frame("client.connected");
    await publish(open, 30);
    for (const client of early) await client.eventCount(30);
    const late = new Client(open.url);
    await late.frame("client.connected");
    const step = async (count: number): Promise<readonly number[]> => {
      const before = written(open);
      const read = [...early, late].map((client) => client.events.length + count);
      await publish(open, count);
      for (const [index, client] of [...early, late].entries()) await client.eventCount(read[index] ?? 0);
      return written(open).map((bytes, index) => bytes - (before[index] ?? 0));
    };
    const [first = 0, second = 0, third = 0] = await step(1);
    expect(second).toBe(first);
    expect(third).toBeGreaterThan(first * 2);
    await step(120);
    const [now = 0, , then = 0] = await step(1);
    expect(then).toBe(now);
    expect(late.events.map(({ data }) => data)).toEqual(early[0]?.events.slice(30).map(({ data }) => data));
  });

  it("is read through filter changes, resumes, bursts over a piece and events larger than the window", async () => {
    const open = await house();
    const stay = new Client(open.url);
    const turn = new Client(`${open.url}?types=model.*`);
    for (const client of [stay, turn]) await client.frame("client.connected");
    await publish(open, 50);
    await open.broker.publish("sync.started", { source: "x" });
    turn.say({ op: "subscribe", types: ["**"] });
    await turn.frame("client.subscribed");
    await publish(open, 1, "y".repeat(20_000));
    await publish(open, 3_000);
    await publish(open, 2, Array.from({ length: 9_000 }, (_, n) => n.toString(36)).join(""));
    const all = await stay.eventCount(3_054);
    expect(await turn.eventCount(3_053)).toEqual(all.filter(({ type }) => type === "model.updated"));
    turn.say({ op: "subscribe", after: all[9]?.id });
    await turn.eventCount(3_053 + 3_044);
    expect(turn.events.slice(3_053)).toEqual(all.slice(10));
    const back = new Client(`${open.url}?after=${all[2_000]?.id ?? ""}`);
    expect(await back.eventCount(1_053)).toEqual(all.slice(2_001));
    await publish(open, 5);
    for (const client of [stay, turn, back])
      await client.until(() => client.events.at(-1)?.id.endsWith("-3059") || undefined);
  });

  // It had the window of its filter from before, and was given frames that pointed into what had come meanwhile.
  it("is read by a client that was with another filter for a while, and missed what came meanwhile", async () => {
    const open = await house();
    const [stays, returns] = [new Client(`${open.url}?types=model.*`), new Client(`${open.url}?types=model.*`)];
    for (const client of [stays, returns]) await client.frame("client.connected");
    await publish(open, 1);
    for (const client of [stays, returns]) await client.eventCount(1);
    returns.say({ op: "subscribe", types: ["sync.*"] });
    await returns.frame("client.subscribed");
    const text = randomBytes(100).toString("hex");
    await publish(open, 1, text);
    await stays.eventCount(2);
    returns.say({ op: "subscribe", types: ["model.*"] });
    await returns.frame("client.subscribed", returns.frames.length);
    await publish(open, 1, text);
    await returns.eventCount(2);
    expect(returns.events[1]).toEqual((await stays.eventCount(3))[2]);
  });

  it("compresses as well for a filter that leaves out what comes between", async () => {
    const open = await house();
    const client = new Client(`${open.url}?types=model.*`);
    await client.frame("client.connected");
    const others = new Client(`${open.url}?types=sync.*`);
    await others.frame("client.connected");
    const cost = async (): Promise<number> => {
      const [before = 0] = written(open);
      const count = client.events.length + 1;
      await publish(open, 1);
      await client.eventCount(count);
      return (written(open)[0] ?? 0) - before;
    };
    const first = await cost();
    await open.broker.publish("sync.started", { source: "x" });
    await others.eventCount(1);
    expect(await cost()).toBeLessThan(first / 3);
  });

  it("is read by a client that did not read for a while, and missed what the log no longer has", async () => {
    const { broker, url, time, ...rest } = await openHouse({
      gateway: { ...shared, stallMs: 3_600_000 },
      broker: { store: new MemoryStore({ retention: { maxEvents: 500, maxBytes: Infinity } }) },
    });
    const open = { broker, url, time, ...rest };
    const [reads, pauses] = [new Client(url), new Client(url)];
    for (const client of [reads, pauses]) await client.frame("client.connected");
    pauses.socket.pause();
    // What cannot be compressed, and is more than the kernels hide.
    for (let n = 1; n <= 3_000; n += 1) {
      await broker.publish("model.updated", model(n, randomBytes(3_000).toString("base64")));
      if (n % 100 === 0) await reads.eventCount(n);
    }
    pauses.socket.resume();
    const gap = await pauses.frame("client.gap");
    await pauses.until(() => pauses.events.at(-1)?.id.endsWith("-3000") || undefined);
    await publish(open, 3);
    await pauses.until(() => pauses.events.at(-1)?.id.endsWith("-3003") || undefined);
    await reads.eventCount(3_003);
    const after = Number(gap.data.after?.split("-")[1]);
    const through = Number(gap.data.through.split("-")[1]);
    expect(pauses.events).toEqual(
      reads.events.filter(({ id }) => {
        const offset = Number(id.split("-")[1]);
        return offset <= after || offset > through;
      }),
    );
  });

  it("is idle below `minCompressedClients` of one filter, and begins with the one that makes them enough", async () => {
    const open = await house({ minCompressedClients: 2 });
    const first = new Client(open.url);
    await first.frame("client.connected");
    const cost = async (client: Client): Promise<number> => {
      const before = written(open)[0] ?? 0;
      const count = client.events.length + 10;
      await publish(open, 10);
      await client.eventCount(count);
      return (written(open)[0] ?? 0) - before;
    };
    const alone = await cost(first);
    const second = new Client(open.url);
    await second.frame("client.connected");
    // Who received plain frames meanwhile gets the window first.
    for (let turn = 0; turn < 12; turn += 1) await cost(first);
    expect(await cost(first)).toBeLessThan(alone / 3);
    second.socket.terminate();
    await open.moment("clientClosed");
    expect(await cost(first)).toBeGreaterThanOrEqual(alone);
    expect(first.events.map(({ data }) => data)).toEqual(Array.from({ length: 150 }, (_, n) => model(n % 10)));
  });
});

describe("what a client may agree on", () => {
  const answer = async (offer: string | null): Promise<string | undefined> => {
    const { port } = await house();
    const socket = await rawUpgrade(port, { headers: { "Sec-WebSocket-Extensions": offer } });
    return /sec-websocket-extensions: (.*)/i.exec(await readHead(socket))?.[1]?.trim();
  };

  it.each([
    ["nothing", null, undefined],
    ["something else", "x-own-thing", undefined],
    ["deflate", "permessage-deflate", "permessage-deflate; client_no_context_takeover"],
    [
      "what browsers offer",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; client_no_context_takeover",
    ],
    ["a window that is too small", "permessage-deflate; server_max_window_bits=13", undefined],
    [
      "a window that holds",
      "permessage-deflate; server_max_window_bits=15",
      "permessage-deflate; server_max_window_bits=14; client_no_context_takeover",
    ],
    [
      "a fallback",
      "permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits",
      "permessage-deflate; client_no_context_takeover",
    ],
    [
      "no window",
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ],
    ["an unknown parameter", "permessage-deflate; shared=1", undefined],
    ["a parameter twice", "permessage-deflate; client_max_window_bits; client_max_window_bits", undefined],
    ["no number", "permessage-deflate; server_max_window_bits=many", undefined],
    ["no sense", "permessage-deflate;;=", undefined],
  ])("answers an offer of %s", async (_what, offer, expected) => {
    expect(await answer(offer)).toBe(expected);
  });

  it("gives a client without a window messages that stand for themselves", async () => {
    const open = await house();
    const client = new Client(open.url, [], { perMessageDeflate: { serverNoContextTakeover: true } });
    await client.frame("client.connected");
    await publish(open, 100);
    expect((await client.eventCount(100)).map(({ data }) => data)).toEqual(
      Array.from({ length: 100 }, (_, n) => model(n)),
    );
  });

  it("takes compressed messages from who agreed", async () => {
    const { url } = await house();
    const client = new Client(url, [], { perMessageDeflate: { threshold: 0 } });
    await client.frame("client.connected");
    client.say({ op: "subscribe", types: ["model.*"] });
    expect((await client.frame("client.subscribed")).data.types).toEqual(["model.*"]);
    client.say({ op: "subscribe", types: ["sync.*"] });
    expect((await client.frame("client.subscribed", 2)).data.types).toEqual(["sync.*"]);
  });

  it("refuses a message that unpacks to more than a client may send, while it unpacks", async () => {
    const { port, url } = await house();
    const socket = await rawUpgrade(port, { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } });
    await readHead(socket);
    const bomb = deflateRawSync(Buffer.alloc(4_000_000));
    socket.write(clientFrame(0x1, bomb, { reserved: 4 }));
    const received = await socket.readUntil((bytes) => serverFrames(bytes).some(({ opcode }) => opcode === 0x8));
    const close = serverFrames(received).find(({ opcode }) => opcode === 0x8);
    expect(close?.payload.readUInt16BE()).toBe(1009);
    await new Client(url).frame("client.connected");
  });

  // Unpacking waits for a thread; what came meanwhile was taken in, however much it was.
  it("reads no more from a client whose message waits to be unpacked", async () => {
    const { port, sockets } = await house();
    const socket = await rawUpgrade(port, { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } });
    await readHead(socket);
    const threads = Array.from({ length: 8 }, () => promisify(pbkdf2)("x", "y", 400_000, 32, "sha256"));
    socket.write(clientFrame(0x1, deflateRawSync(Buffer.from('{"op":"none"}')), { reserved: 4 }));
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => clientFrame(0x9, Buffer.alloc(100))));
    for (let count = 0; count < 16; count += 1) socket.write(pings);
    await Promise.race(threads);
    expect(sockets[0]?.bytesRead).toBeLessThan(2_000_000);
    await socket.readUntil((bytes) => bytes.includes("unknown_operation"));
    await socket.ended();
    await Promise.all(threads);
  });

  it("closes on a compressed message from who did not agree, and on one that is none", async () => {
    const { port } = await house();
    for (const headers of [{}, { "Sec-WebSocket-Extensions": "permessage-deflate" }]) {
      const socket = await rawUpgrade(port, { headers });
      await readHead(socket);
      socket.write(clientFrame(0x1, Buffer.from("not deflate at all"), { reserved: 4 }));
      const received = await socket.readUntil((bytes) => serverFrames(bytes).some(({ opcode }) => opcode === 0x8));
      expect(
        serverFrames(received)
          .find(({ opcode }) => opcode === 0x8)
          ?.payload.readUInt16BE(),
      ).toBe(1002);
    }
  });

  it("is not asked where the option is off", async () => {
    const { url } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    expect(client.socket.extensions).toBe("");
  });
});
