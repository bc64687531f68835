import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse, publishNumbers } from "./listen.ts";
import { rawUpgrade, readAnswer, readHead } from "./raw-upgrade.ts";

describe("a gateway whose broker closes", () => {
  it("delivers what was published, says when to come back, and closes with 1012", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    const published = publishNumbers(broker, 1, 5);
    const closed = broker.close();
    await published;
    const { data } = await client.frame("client.closing");
    expect(data.reason).toBe("restart");
    expect(data.reconnectInMs).toBeGreaterThanOrEqual(500);
    expect(client.events).toHaveLength(5);
    expect(await client.closed).toEqual({ code: 1012, reason: "restart" });
    await closed;
  });

  it("spreads the leaving over its window, and refuses new clients meanwhile", async () => {
    const { broker, url, time, port, gateway } = await openHouse({
      broker: { drain: { spreadMs: 10_000, deadlineMs: 25_000 } },
    });
    const clients = Array.from({ length: 40 }, () => new Client(url));
    for (const client of clients) await client.frame("client.connected");
    const closed = broker.close();
    while (gateway.connectionCount === 40) await time.advance(20);
    const { status, head } = await readAnswer(await rawUpgrade(port));
    expect(status).toBe(503);
    expect(head).toMatch(/retry-after: \d/);
    // 40 clients leave over 400 ms: some are still there, and served.
    expect(gateway.connectionCount).toBeGreaterThan(20);
    while (gateway.connectionCount > 0) await time.advance(20);
    await closed;
    for (const client of clients) expect(await client.closed).toMatchObject({ code: 1012 });
  });

  it("ends whoever does not answer at the deadline, and says so", async () => {
    const { broker, port, time, gateway, moment } = await openHouse({
      broker: { drain: { spreadMs: 0, deadlineMs: 3_000 } },
    });
    const mute = await rawUpgrade(port);
    await readHead(mute);
    while (gateway.connectionCount === 0) await time.settle();
    const closed = broker.close();
    await time.advance(3_100);
    await closed;
    expect((await moment("drainCompleted")).undone).toEqual([
      "websocket: 1 connections were ended before they had answered",
    ]);
    await mute.ended();
  });

  it("may be closed twice, and alone", async () => {
    const { broker, url, gateway } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    await Promise.all([gateway.close(), gateway.close()]);
    expect(await client.closed).toMatchObject({ code: 1012 });
    await broker.publish("model.added", {});
    const late = new Client(url);
    await late.closed;
    expect(late.frames).toEqual([]);
  });
});
