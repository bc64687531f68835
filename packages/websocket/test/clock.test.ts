import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse, publishNumbers, type House } from "./listen.ts";
import { clientFrame, rawUpgrade, readHead, serverFrames } from "./raw-upgrade.ts";

const hoursMs = 6 * 3_600_000;

/** A client that answers nothing. */
async function silent(house: House): Promise<Awaited<ReturnType<typeof rawUpgrade>>> {
  const socket = await rawUpgrade(house.port);
  await readHead(socket);
  await socket.readUntil((bytes) => bytes.includes("client.connected"));
  return socket;
}

// Whatever waits for a time of day would then wait for hours.
describe("a clock that is set back by hours", () => {
  it("does not silence heartbeats", async () => {
    const house = await openHouse();
    const client = new Client(house.url);
    await client.frame("client.connected");
    await house.time.advance(2_000);
    house.setClock(-hoursMs);
    await house.time.advance(26_000);
    const { timestamp } = await client.frame("client.heartbeat");
    expect(Math.abs(Date.parse(timestamp) - (house.time.clock.now() - hoursMs))).toBeLessThan(5_000);
  });

  it("does not keep a peer that answers no ping", async () => {
    const house = await openHouse();
    const socket = await silent(house);
    await house.time.advance(26_000);
    await socket.readUntil((bytes) => serverFrames(bytes).some(({ opcode }) => opcode === 0x9));
    house.setClock(-hoursMs);
    await house.time.advance(11_000);
    expect((await house.moment("clientClosed")).reason).toBe("pong_timeout");
  });

  it("does not keep a peer that does not answer the closing", async () => {
    const house = await openHouse({ gateway: { authorize: () => ({ identity: "ann" }) } });
    await silent(house);
    expect(house.gateway.revoke("ann")).toBe(1);
    house.setClock(-hoursMs);
    await house.time.advance(6_000);
    expect((await house.moment("clientClosed")).reason).toBe("forbidden");
    expect(house.broker.admission.connections).toBe(0);
  });

  it("does not lengthen a grant", async () => {
    const lastsMs = 10_000;
    const now = (): number => house.time.clock.now();
    const house: House = await openHouse({
      gateway: { authorize: () => ({ identity: "ann", expiresAt: now() + lastsMs }), tokenGraceMs: 1_000 },
    });
    const client = new Client(house.url);
    await client.frame("client.connected");
    house.setClock(-hoursMs);
    await house.time.advance(lastsMs + 3_000);
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it("does not hold up a drain", async () => {
    const house = await openHouse({ broker: { drain: { spreadMs: 10_000, deadlineMs: 25_000 } } });
    const client = new Client(house.url);
    await Promise.all([client.frame("client.connected"), silent(house), silent(house)]);
    await publishNumbers(house.broker, 1, 1);
    const closed = house.broker.close();
    while (house.broker.subscriberCount === 3) await house.time.settle();
    house.setClock(-hoursMs);
    await house.time.advance(100);
    expect(await client.closed).toMatchObject({ code: 1012 });
    expect(house.broker.subscriberCount).toBe(0);
    await house.time.advance(6_000);
    await closed;
    expect(house.broker.admission.connections).toBe(0);
    const { tookMs, undone } = await house.moment("drainCompleted");
    expect(undone).toEqual([]);
    expect(tookMs).toBeLessThan(7_000);
  });
});

it("a clock that is set forward by hours ends no connection that answers", async () => {
  const house = await openHouse();
  const client = new Client(house.url);
  await client.frame("client.connected");
  const closing = await silent(house);
  closing.write(clientFrame(0x8, Buffer.of(0x03, 0xe8)));
  house.setClock(hoursMs);
  await house.time.advance(2_000);
  await client.frame("client.heartbeat");
  await publishNumbers(house.broker, 1, 1);
  await client.eventCount(1);
});
