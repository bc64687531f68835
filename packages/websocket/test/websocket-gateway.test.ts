import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse, publishNumbers } from "./listen.ts";

describe("a client of a WebSocketGateway", () => {
  it("is greeted first, then gets what is published, in order", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(url);
    const { data } = await client.frame("client.connected");
    expect(client.frames).toHaveLength(1);
    expect(data).toMatchObject({ resumed: false, heartbeatMs: 25_000 });
    await publishNumbers(broker, 1, 50);
    const events = await client.eventCount(50);
    expect(events.map((event) => event.data)).toEqual(Array.from({ length: 50 }, (_, index) => ({ n: index + 1 })));
  });

  it("resumes exactly after the last event it saw", async () => {
    const { broker, url } = await openHouse();
    const before = new Client(url);
    await before.frame("client.connected");
    await publishNumbers(broker, 1, 10);
    const seen = await before.eventCount(10);
    before.socket.terminate();
    await publishNumbers(broker, 11, 20);
    const after = new Client(`${url}?after=${seen[4]?.id}`);
    expect((await after.frame("client.connected")).data).toMatchObject({ resumed: true, position: seen[4]?.id });
    const events = await after.eventCount(15);
    expect(events.map((event) => event.data)).toEqual(Array.from({ length: 15 }, (_, index) => ({ n: index + 6 })));
  });

  it("is told exactly what retention took, then goes on behind it", async () => {
    const { broker, url } = await openHouse({ broker: { store: new MemoryStore({ retention: { maxEvents: 100 } }) } });
    const [first] = await publishNumbers(broker, 1, 300);
    const client = new Client(`${url}?after=${first?.id}`);
    const epoch = first?.id.split("-")[0];
    const gap = await client.frame("client.gap");
    expect(gap.data).toEqual({ after: `${epoch}-1`, through: `${epoch}-200`, reason: "trimmed" });
    expect((await client.frame("client.connected")).data.resumed).toBe(false);
    expect((await client.eventCount(100))[0]?.id).toBe(`${epoch}-201`);
  });

  it.each([
    ["of another epoch", "zzzz-5", "epoch", "zzzz-5"],
    ["of the future", null, "unknown", undefined],
    ["that is junk", "💥 nonsense", "unknown", null],
  ])("with a position %s is told so, and where it goes on", async (_what, position, reason, after) => {
    const { broker, url } = await openHouse();
    const [first] = await publishNumbers(broker, 1, 3);
    const asked = position ?? `${first?.id.split("-")[0]}-999`;
    const client = new Client(`${url}?after=${encodeURIComponent(asked)}`);
    const { data } = await client.frame("client.gap");
    expect(data).toMatchObject({ reason, after: after === undefined ? asked : after });
    expect((await client.frame("client.connected")).data.resumed).toBe(false);
  });

  it("resumes no further back than its grant allows", async () => {
    const grant = { identity: null, replayEvents: 5 };
    const { broker, url } = await openHouse({ gateway: { authorize: () => grant } });
    await publishNumbers(broker, 1, 20);
    const client = new Client(`${url}?after=earliest`);
    expect((await client.frame("client.gap")).data.reason).toBe("replay_limit");
    expect((await client.eventCount(5)).map((event) => event.data)).toEqual([16, 17, 18, 19, 20].map((n) => ({ n })));
  });

  it("gets what it asked for, within what it is granted", async () => {
    const { broker, url } = await openHouse({
      gateway: { authorize: () => ({ identity: "ann", types: ["model.*"] }) },
    });
    const client = new Client(`${url}?types=model.added,sync.*`);
    await client.frame("client.connected");
    await broker.publish("sync.started", {});
    await broker.publish("model.updated", {});
    await broker.publish("model.added", { n: 1 });
    await client.eventCount(1);
    expect(client.events.map((event) => event.type)).toEqual(["model.added"]);
  });

  it("learns by heartbeat that its position moved, though nothing was for it", async () => {
    const { broker, url, time } = await openHouse();
    const client = new Client(`${url}?types=model.*`);
    await client.frame("client.connected");
    const { id } = await broker.publish("sync.started", {});
    await time.advance(26_000);
    expect((await client.frame("client.heartbeat")).data.position).toBe(id);
  });

  it("is told at once that the store is out of reach, and that it is back; so is who comes in between", async () => {
    const store = new MemoryStore();
    const { broker, url, time } = await openHouse({ broker: { store } });
    const client = new Client(url);
    expect((await client.frame("client.connected")).data.state).toBeUndefined();
    Object.assign(store.log, { isReachable: false });
    await time.advance(1_000);
    expect((await client.frame("client.heartbeat")).data.state).toBe("store_unreachable");
    const late = new Client(url);
    expect((await late.frame("client.connected")).data.state).toBe("store_unreachable");
    Object.assign(store.log, { isReachable: true });
    const told = client.frames.length;
    await time.advance(1_000);
    const { position, state } = (await client.frame("client.heartbeat", told)).data;
    expect([position, state]).toEqual([`${store.log.epoch}-0`, undefined]);
    expect((await late.frame("client.heartbeat")).data.state).toBeUndefined();
    const { id } = await broker.publish("model.added", {});
    expect((await client.eventCount(1))[0]?.id).toBe(id);
  });

  it("gets CloudEvents under the subprotocol cloudevents.json, in frames of the gateway too", async () => {
    const { broker, url } = await openHouse({ gateway: { source: "/catalog" } });
    const messages: Record<string, unknown>[] = [];
    const { WebSocket } = await import("ws");
    const socket = new WebSocket(url, ["cloudevents.json"]);
    const two = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        messages.push(JSON.parse(data.toString()) as Record<string, unknown>);
        if (messages.length === 1) void broker.publish("model.added", { n: 1 }, { subject: "acme/one" });
        else resolve();
      });
    });
    await two;
    socket.terminate();
    expect(socket.protocol).toBe("cloudevents.json");
    expect(messages[0]).toMatchObject({ specversion: "1.0", type: "client.connected", source: "/catalog" });
    expect(messages[1]).toMatchObject({
      specversion: "1.0",
      type: "model.added",
      source: "/catalog",
      subject: "acme/one",
      data: { n: 1 },
    });
  });

  it("is answered the subprotocol it offered, and never its token", async () => {
    let token: string | null = null;
    const { url } = await openHouse({
      gateway: {
        authorize: (visitor) => {
          ({ token } = visitor);
          return { identity: "ann" };
        },
      },
    });
    const client = new Client(url, ["starcast.token.s3cret", "starcast.v1"]);
    await client.frame("client.connected");
    expect(client.socket.protocol).toBe("starcast.v1");
    expect(token).toBe("s3cret");
  });

  it("that does not answer a ping is gone in 35 s", async () => {
    const { url, time, moment, gateway } = await openHouse();
    const client = new Client(url, [], { autoPong: false });
    await client.frame("client.connected");
    await time.advance(25_000);
    expect(gateway.connectionCount).toBe(1);
    await time.advance(11_000);
    expect(await moment("clientClosed")).toMatchObject({ reason: "pong_timeout", code: null });
    expect(gateway.connectionCount).toBe(0);
  });

  it("that answers pings stays for as long as it likes", async () => {
    const { url, time, gateway } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    for (let beat = 0; beat < 5; beat += 1) {
      const { length } = client.frames;
      await time.advance(26_000);
      await client.frame("client.heartbeat", length);
      client.socket.ping();
      // What it sends is read in order: behind the answer to the ping there is ours.
      await new Promise((resolve) => void client.socket.once("pong", resolve));
    }
    expect(gateway.connectionCount).toBe(1);
  });

  it("leaves with the code it gave, and its place is given back", async () => {
    const { url, broker, moment } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    expect(broker.subscriberCount).toBe(1);
    client.socket.close(4000, "bye");
    expect(await client.closed).toMatchObject({ code: 4000 });
    expect(await moment("clientClosed")).toMatchObject({ reason: "client_left", code: 4000 });
    expect(broker.subscriberCount).toBe(0);
    expect(broker.admission.connections).toBe(0);
  });

  it("is sent away at its greatest age, to come back soon", async () => {
    const { url, time } = await openHouse({ gateway: { maxAgeMs: 20_000 } });
    const client = new Client(url);
    await client.frame("client.connected");
    await time.advance(25_000);
    expect((await client.frame("client.closing")).data).toMatchObject({ reason: "restart" });
    expect(await client.closed).toMatchObject({ code: 1012, reason: "restart" });
  });
});
