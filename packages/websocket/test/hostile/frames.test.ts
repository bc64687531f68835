import { describe, expect, it } from "vitest";
import { Client } from "../client.ts";
import { openHouse, publishNumbers, type House } from "../listen.ts";
import { clientFrame, rawUpgrade, readHead, serverFrames } from "../raw-upgrade.ts";

const utf8 = new TextEncoder();

/** Opens a raw WebSocket, sends these bytes, and resolves with the close code the server answered before it hung up. */
async function codeAfter(house: House, ...chunks: readonly Uint8Array[]): Promise<number | null> {
  const socket = await rawUpgrade(house.port);
  await socket.readUntil((received) => received.includes("client.connected"));
  for (const chunk of chunks) socket.write(chunk);
  while (!socket.isEnded) {
    await Promise.race([socket.ended(), house.time.settle()]);
    // A server that waits for us to hang up does not for long.
    if (!socket.isEnded) await house.time.advance(100);
  }
  const close = serverFrames(socket.received).find(({ opcode }) => opcode === 8);
  return close === undefined ? null : close.payload.readUInt16BE();
}

async function expectServed(house: House, healthy: Client): Promise<void> {
  const { length } = healthy.events;
  await publishNumbers(house.broker, 1, 3);
  await healthy.eventCount(length + 3);
  expect(house.gateway.connectionCount).toBe(1);
}

const manyFragments = Array.from({ length: 40 }, (_, index) =>
  clientFrame(index === 0 ? 1 : 0, utf8.encode("{"), { isFinal: false }),
);

describe("a hostile client's frames", () => {
  it.each<[string, readonly Uint8Array[], number]>([
    ["unmasked text", [clientFrame(1, utf8.encode("{}"), { isMasked: false })], 1002],
    ["reserved bits", [clientFrame(1, utf8.encode("{}"), { reserved: 4 })], 1002],
    ["a reserved opcode", [clientFrame(3, utf8.encode("{}"))], 1002],
    ["a fragmented ping", [clientFrame(9, utf8.encode("x"), { isFinal: false })], 1002],
    ["a ping of 126 bytes", [clientFrame(9, new Uint8Array(126))], 1002],
    ["a continuation of nothing", [clientFrame(0, utf8.encode("{}"))], 1002],
    [
      "a message within a message",
      [clientFrame(1, utf8.encode("{"), { isFinal: false }), clientFrame(1, utf8.encode("}"))],
      1002,
    ],
    ["a close code nobody may send", [clientFrame(8, new Uint8Array([0x03, 0xed]))], 1002],
    ["a close frame of one byte", [clientFrame(8, new Uint8Array([0x03]))], 1002],
    ["bad UTF-8", [clientFrame(1, new Uint8Array([0x22, 0xc0, 0xaf, 0x22]))], 1007],
    [
      "bad UTF-8 over two fragments",
      [clientFrame(1, new Uint8Array([0xe2]), { isFinal: false }), clientFrame(0, new Uint8Array([0x28, 0xa1]))],
      1007,
    ],
    ["binary", [clientFrame(2, utf8.encode("{}"))], 1003],
    ["a message of 4,097 bytes", [clientFrame(1, new Uint8Array(4_097).fill(0x20))], 1009],
    [
      "the head of a message of 2^62 bytes",
      [new Uint8Array([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
      1009,
    ],
    [
      "fragments that add up to too much",
      Array.from({ length: 5 }, (_, index) =>
        clientFrame(index === 0 ? 1 : 0, new Uint8Array(1_000).fill(0x20), { isFinal: false }),
      ),
      1009,
    ],
    ["a message of endless fragments", manyFragments, 1008],
    ["a flood of messages", Array.from({ length: 500 }, () => clientFrame(1, utf8.encode("{}"))), 1008],
    ["a flood of pings", Array.from({ length: 500 }, () => clientFrame(9, utf8.encode("x"))), 1008],
    ["a flood of pongs", Array.from({ length: 500 }, () => clientFrame(10, utf8.encode("x"))), 1008],
  ])("of %s end its connection, nobody else's", async (_what, chunks, code) => {
    const house = await openHouse();
    const healthy = new Client(house.url);
    await healthy.frame("client.connected");
    expect(await codeAfter(house, ...chunks)).toBe(code);
    await expectServed(house, healthy);
  });

  it("may come in one byte each and are read all the same, but one frame not in endless pieces", async () => {
    const house = await openHouse();
    const patient = await rawUpgrade(house.port);
    await patient.readUntil((received) => received.includes("client.connected"));
    for (const byte of clientFrame(1, utf8.encode(`{"op":"publish"}`))) {
      patient.write(new Uint8Array([byte]));
      await house.time.settle();
    }
    await patient.readUntil((received) => received.includes("unknown_operation"));
  });

  it("that come before the handshake is answered are heard after it", async () => {
    const house = await openHouse();
    const eager = await rawUpgrade(house.port);
    eager.write(clientFrame(1, utf8.encode(`{"op":"subscribe","types":["a.b"]}`)));
    await eager.readUntil((received) => received.includes("client.subscribed"));
    const [first, second] = serverFrames(eager.received);
    expect(first?.payload.toString()).toContain("client.connected");
    expect(second?.payload.toString()).toContain("client.subscribed");
  });
});

describe("a hostile client that does not read what it makes us say", () => {
  it("is closed once its answers add up", async () => {
    const house = await openHouse({ gateway: { inbound: { maxMessagesPerSecond: Infinity } } });
    const deaf = await rawUpgrade(house.port);
    await readHead(deaf);
    const text = "x".repeat(200_000);
    while (!house.sockets.some((socket) => socket.writableLength > 0)) {
      await house.broker.publish("model.added", { text });
      await house.time.settle();
    }
    const ping = clientFrame(9, new Uint8Array(125));
    for (let n = 0; n < 1_000; n += 1) deaf.write(ping);
    while (house.gateway.connectionCount > 0) {
      await house.time.settle();
      await house.time.advance(20);
    }
    expect(await house.moment("clientClosed")).toMatchObject({ reason: "too_slow" });
    expect(house.time.clock.now()).toBeLessThan(Date.now() + 29_000);
  });
});
