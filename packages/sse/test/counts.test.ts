import { fakeSurroundings, seededRandom } from "@starcast/testing";
import { once } from "node:events";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readUntil } from "../../../tests/read-until.ts";
import { serveGateway, type ServeOptions, type Served } from "./served-gateway.ts";

const get = (path = "/events?after=earliest"): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** How far a client gets before it is gone. */
const stages: readonly ((socket: Socket) => unknown)[] = [
  () => undefined,
  (socket) => socket.write(get().slice(0, 20)),
  (socket) => socket.write(get()),
  (socket) => socket.write(get().replace("GET", "HEAD")),
  (socket) => socket.write(get().replace("1.1", "1.0")),
  // The second waits for the first, which never ends.
  (socket) => socket.write(get() + get()),
  (socket) => socket.write(`${get()}garbage behind the head`),
  async (socket) => {
    socket.write(get());
    await readUntil(socket, "HTTP/1.1 ");
  },
  async (socket) => {
    socket.write(get() + get());
    await readUntil(socket, "HTTP/1.1 ");
  },
];

const ends: readonly ((socket: Socket) => unknown)[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  // Half closed, and never read again.
  (socket) => socket.end(),
];

/** A gateway whose judge takes its time, and whose time passes by itself until `over`. */
async function serve(listen: Pick<ServeOptions, "listen"> = {}) {
  const random = seededRandom(5);
  const time = fakeSurroundings(1, { turns: "real", startsAt: Date.now() });
  const served = await serveGateway({
    broker: { surroundings: time, drain: { spreadMs: 0, deadlineMs: 0 } },
    ...listen,
    sse: {
      tokenGraceMs: 0,
      connections: { maxNewPerSecond: Infinity, maxPerIdentity: 1_000 },
      authorize: async () => {
        for (let turn = random.integer(0, 5); turn > 0; turn -= 1) await new Promise(setImmediate);
        if (random.chance(0.1)) throw new Error("no database");
        const expiresAt = random.chance(0.5) ? time.clock.now() + random.integer(0, 20_000) : undefined;
        return random.chance(0.1) ? null : { identity: random.pick(["ann", "bob"]), expiresAt };
      },
    },
  });
  const text = "x".repeat(40_000);
  await Promise.all(Array.from({ length: 300 }, () => served.broker.publish("model.added", { text })));
  const whileTimePasses = async (lives: readonly Promise<void>[]): Promise<void> => {
    let areOver = false;
    const all = Promise.all(lives).then(() => void (areOver = true));
    while (!areOver) await time.advance(50);
    await all;
  };
  const nobodyIsCounted = async ({ broker, gateway }: Served): Promise<void> => {
    while (broker.admission.connections + broker.subscriberCount + gateway.connectionCount > 0)
      await time.advance(1_000);
    const { connected, closed } = gateway.stats();
    expect(connected).toBeGreaterThan(30);
    expect(Object.values(closed).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(connected);
    // Of one identity as of all.
    const limits = { maxConnections: 1, maxPerAddress: 1, maxPerIdentity: 1, maxNewPerSecond: Infinity };
    for (const identity of ["ann", "bob"]) {
      const seat = broker.admission.enter("192.0.2.1", limits, 0);
      if (typeof seat === "string") throw new Error(seat);
      expect(broker.admission.identify(seat, identity, 1)).toBe(true);
      seat.leave();
    }
  };
  return { served, random, whileTimePasses, nobodyIsCounted };
}

it("whenever and however clients go, nobody is counted any more in the end", async () => {
  const { served, random, whileTimePasses, nobodyIsCounted } = await serve();
  const sockets: Socket[] = [];
  const lives = Array.from({ length: 300 }, async () => {
    const socket = connect(served.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    await random.pick(stages)(socket);
    for (let turn = random.integer(0, 4); turn > 0; turn -= 1) await new Promise(setImmediate);
    if (random.chance(0.1)) served.gateway.revoke("ann");
    random.pick(ends)(socket);
  });
  await whileTimePasses(lives);
  await nobodyIsCounted(served);
  for (const socket of sockets) socket.destroy();
});

it("whenever and however streams of HTTP/2 go, nobody is counted any more in the end", async () => {
  const { served, random, whileTimePasses, nobodyIsCounted } = await serve({
    listen: (gateway) => createHttp2Server(gateway.handle as never),
  });
  const sessions = Array.from({ length: 20 }, () => connectHttp2(`http://127.0.0.1:${served.port}`));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
  });
  const lives = sessions.flatMap((session) => {
    session.on("error", () => undefined);
    return Array.from({ length: 10 }, async () => {
      if (session.destroyed) return;
      const method = random.chance(0.1) ? "HEAD" : "GET";
      const stream = session.request({ ":path": "/events?after=earliest", ":method": method });
      stream.on("error", () => undefined);
      if (random.chance(0.5))
        await Promise.race([once(stream, "response"), once(stream, "close")]).catch(() => undefined);
      for (let turn = random.integer(0, 6); turn > 0; turn -= 1) await new Promise(setImmediate);
      if (random.chance(0.05)) served.gateway.revoke("ann");
      if (random.chance(0.1)) session.destroy();
      else stream.close(random.pick([0, 2, 8]));
    });
  });
  await whileTimePasses(lives);
  await nobodyIsCounted(served);
});
