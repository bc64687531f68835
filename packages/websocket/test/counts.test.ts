import { seededRandom } from "@starcast/testing";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { expect, it } from "vitest";
import { readUntil } from "../../../tests/read-until.ts";
import { openHouse, publishNumbers, type House } from "./listen.ts";
import { clientFrame } from "./raw-upgrade.ts";

const request =
  "GET /events?after=earliest HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/** How far a client gets before it is gone. */
const stages: readonly ((socket: Socket, house: House) => unknown)[] = [
  () => undefined,
  (socket) => socket.write(request.slice(0, 60)),
  (socket) => socket.write(request),
  (socket) => socket.write(`${request}garbage behind the head`),
  async (socket) => {
    socket.write(request);
    await readUntil(socket, "101 ");
  },
  async (socket) => {
    socket.write(request);
    await readUntil(socket, "client.connected");
  },
  async (socket, house) => {
    socket.write(request);
    await readUntil(socket, "client.connected");
    house.gateway.revoke("ann");
  },
  async (socket) => {
    socket.write(request);
    await readUntil(socket, "client.connected");
    socket.write(clientFrame(0x8, Buffer.of(0x03, 0xe8)));
  },
  async (socket) => {
    socket.write(request);
    await readUntil(socket, "client.connected");
    socket.write(clientFrame(0x1, Buffer.from('{"op":"subscribe","after":"earliest"}')));
    socket.write(clientFrame(0x1, Buffer.from('{"op":"token","token":"x"}')));
  },
];

const ends: readonly ((socket: Socket) => unknown)[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  // Half closed, and never read again.
  (socket) => socket.end(),
];

it("whenever and however clients go, nobody is counted any more in the end", async () => {
  const random = seededRandom(7);
  const house = await openHouse({
    gateway: {
      compression: "shared",
      minCompressedClients: 1,
      tokenGraceMs: 0,
      connections: { maxNewPerSecond: Infinity, maxPerIdentity: 1_000 },
      authorize: async () => {
        for (let turn = random.integer(0, 5); turn > 0; turn -= 1) await new Promise(setImmediate);
        if (random.chance(0.1)) throw new Error("no database");
        const expiresAt = random.chance(0.5) ? house.time.clock.now() + random.integer(0, 20_000) : undefined;
        return random.chance(0.1) ? null : { identity: random.pick(["ann", "bob"]), expiresAt };
      },
    },
  });
  const { admission } = house.broker;
  await Promise.all(
    Array.from({ length: 300 }, () => house.broker.publish("model.added", { text: "x".repeat(40_000) })),
  );
  const sockets: Socket[] = [];
  const lives = Array.from({ length: 400 }, async () => {
    const socket = connect(house.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    await random.pick(stages)(socket, house);
    for (let turn = random.integer(0, 4); turn > 0; turn -= 1) await new Promise(setImmediate);
    random.pick(ends)(socket);
  });
  let areOver = false;
  const all = Promise.all(lives).then(() => void (areOver = true));
  // Whoever was sent away without having been greeted waits for the server to end it.
  while (!areOver) await house.time.advance(50);
  await all;
  await publishNumbers(house.broker, 1, 10);
  expect(house.gateway.stats().connected).toBeGreaterThan(100);
  while (admission.connections + house.broker.subscriberCount + house.gateway.connectionCount > 0)
    await house.time.advance(1_000);
  const { connected, closed } = house.gateway.stats();
  expect(Object.values(closed).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(connected);
  // Of one identity as of all.
  for (const identity of ["ann", "bob"]) {
    const seat = admission.enter(
      "192.0.2.1",
      { maxConnections: 1, maxPerAddress: 1, maxPerIdentity: 1, maxNewPerSecond: Infinity },
      0,
    );
    if (typeof seat === "string") throw new Error(seat);
    expect(admission.identify(seat, identity, 1)).toBe(true);
    seat.leave();
  }
  for (const socket of sockets) socket.destroy();
});
