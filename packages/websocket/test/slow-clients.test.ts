import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse, type House } from "./listen.ts";
import { rawUpgrade, readHead, serverFrames } from "./raw-upgrade.ts";

const text = "x".repeat(60_000);

/** Kernels hide some 4 MB per connection before a server notices that nobody reads: publishes until it did. */
async function publishUntilFull({ broker, sockets, time }: House): Promise<number> {
  let published = 0;
  while (!sockets.some((socket) => socket.writableLength > 0)) {
    await broker.publish("model.added", { n: (published += 1), text });
    await time.settle();
    if (published > 1_000) throw new Error("Expected a full connection after 60 MB");
  }
  return published;
}

describe("a client that does not read", () => {
  it("costs one piece, is closed as too slow, and cut off when it does not read that either", async () => {
    const house = await openHouse();
    const slow = await rawUpgrade(house.port);
    await readHead(slow);
    await publishUntilFull(house);
    expect(house.sockets[0]?.writableLength).toBeLessThanOrEqual(65_536);
    await house.time.advance(29_000);
    expect(house.gateway.connectionCount).toBe(1);
    await house.time.advance(3_000);
    expect(await house.moment("clientStalled")).toMatchObject({ gateway: "websocket" });
    await house.time.advance(2_000);
    expect(await house.moment("clientClosed")).toMatchObject({ reason: "too_slow", code: 4408 });
    expect(house.gateway.connectionCount).toBe(0);
    expect(house.broker.subscriberCount).toBe(0);
  });

  it("delays nobody, and gets everything in order once it reads", async () => {
    const house = await openHouse();
    const slow = await rawUpgrade(house.port);
    await readHead(slow);
    const quick = new Client(house.url);
    await quick.frame("client.connected");
    const published = await publishUntilFull(house);
    await quick.eventCount(published);
    for (let n = published + 1; n <= published + 50; n += 1) await house.broker.publish("model.added", { n, text });
    await quick.eventCount(published + 50);
    // Only the slow one, with what the kernel did not take any more.
    const [lag, ...others] = house.gateway.slowest();
    expect([lag?.lagEvents, others]).toEqual([50, []]);
    expect(lag?.unsentBytes).toBeGreaterThan(0);
    expect(lag?.position).toMatch(new RegExp(`-${published}$`));
    const isWhole = (received: Buffer): boolean => events(received).length >= published + 50;
    const seen = events(await slow.readUntil(isWhole));
    expect(seen).toEqual(Array.from({ length: published + 50 }, (_, index) => index + 1));
  });
});

function events(received: Buffer): number[] {
  return serverFrames(received)
    .filter(({ opcode }) => opcode === 1)
    .map(({ payload }) => JSON.parse(payload.toString()) as { type: string; data: { n: number } })
    .filter(({ type }) => type === "model.added")
    .map(({ data }) => data.n);
}
