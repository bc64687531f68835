import { MemoryStore, cloudEvents } from "@starcast/core";
import { allowAnyone } from "@starcast/sse";
import { describe, expect, it } from "vitest";
import { PlainEventSource, type Heard } from "./plain-event-source.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

const envelopeOf = ({ data }: Heard): { readonly type: string; readonly data: { readonly n: number } } =>
  JSON.parse(data) as { type: string; data: { n: number } };

const numbers = (heard: readonly Heard[]): readonly number[] => heard.map((each) => envelopeOf(each).data.n);

const stateIn = (heard: Heard | undefined): string | undefined =>
  (JSON.parse(heard?.data ?? "null") as { readonly data: { readonly state?: string } }).data.state;

async function publish(served: Served, from: number, to: number, type = "model.added"): Promise<void> {
  for (let n = from; n <= to; n += 1) await served.broker.publish(type, { n });
}

describe("a client that only knows EventSource", () => {
  it("is greeted, told when to come back, and gets each event with its id", async () => {
    const served = await serveGateway();
    const source = new PlainEventSource(served.url);
    const [connected] = await source.hear("client.connected", 1);
    expect(connected && JSON.parse(connected.data)).toMatchObject({
      type: "client.connected",
      data: { resumed: false, heartbeatMs: 15_000, position: connected?.lastEventId },
    });
    expect(source.retryMs).toBeLessThanOrEqual(5);
    const event = await served.broker.publish("model.added", { n: 1 }, { subject: "acme/m1" });
    const [heard] = await source.hear("model.added", 1);
    expect(heard?.lastEventId).toBe(event.id);
    expect(heard && JSON.parse(heard.data)).toEqual({
      id: event.id,
      type: "model.added",
      timestamp: event.timestamp,
      subject: "acme/m1",
      data: { n: 1 },
    });
  });

  it("loses nothing and gets nothing twice over twenty lost connections", async () => {
    const served = await serveGateway();
    const source = new PlainEventSource(served.url);
    await source.hear("client.connected", 1);
    for (let round = 0; round < 20; round += 1) {
      await publish(served, round * 10 + 1, round * 10 + 5);
      source.drop();
      await publish(served, round * 10 + 6, round * 10 + 10);
      await source.hear("model.added", round * 10 + 7);
    }
    const heard = await source.hear("model.added", 200);
    expect(numbers(heard)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(source.heard.filter(({ type }) => type === "client.gap")).toEqual([]);
  });

  it("is told exactly what it missed when the log no longer has it, and goes on behind", async () => {
    const served = await serveGateway({ broker: { store: new MemoryStore({ retention: { maxEvents: 10 } }) } });
    const source = new PlainEventSource(served.url);
    await source.hear("client.connected", 1);
    await publish(served, 1, 3);
    await source.hear("model.added", 3);
    const last = source.lastEventId;
    source.drop();
    await publish(served, 4, 40);
    const [gap] = await source.hear("client.gap", 1);
    const heard = await source.hear("model.added", 13);
    expect(gap && JSON.parse(gap.data)).toMatchObject({ data: { after: last, reason: "trimmed" } });
    const { through } = (gap && (JSON.parse(gap.data) as { data: { through: string } }).data) ?? { through: "" };
    expect(gap?.lastEventId).toBe(through);
    expect(numbers(heard)).toEqual([1, 2, 3, ...Array.from({ length: 10 }, (_, index) => 31 + index)]);
    expect(through).toBe(last.replace(/-3$/, "-30"));
  });

  // An id on the greeting would have told it to resume behind the gap it had not been told of yet.
  it("is not moved by the greeting when a gap follows", async () => {
    const served = await serveGateway();
    await publish(served, 1, 5);
    const source = new PlainEventSource(served.url, { "Last-Event-ID": "otherepoch-3" });
    const [gap] = await source.hear("client.gap", 1);
    const [connected] = await source.hear("client.connected", 1);
    expect(connected?.lastEventId).toBe("");
    expect(gap?.lastEventId).toMatch(/-0$/);
    expect(numbers(await source.hear("model.added", 5))).toEqual([1, 2, 3, 4, 5]);
  });

  it("is told that the store is out of reach with each heartbeat, and once that it is back", async () => {
    const store = new MemoryStore();
    const { url, skip } = await serveGateway({ broker: { store }, sse: { heartbeatMs: 1_000 } });
    const source = new PlainEventSource(url);
    await source.hear("client.connected", 1);
    Object.assign(store.log, { isReachable: false });
    await source.hear("client.heartbeat", 1);
    skip(1_000);
    const beats = [...(await source.hear("client.heartbeat", 2))];
    Object.assign(store.log, { isReachable: true });
    while (stateIn(beats.at(-1)) !== undefined)
      beats.push(...(await source.hear("client.heartbeat", beats.length + 1)).slice(-1));
    expect(new Set(beats.slice(0, -1).map(stateIn))).toEqual(new Set(["store_unreachable"]));
    expect(beats.at(-1)?.lastEventId).toMatch(/-0$/);
  });

  it("learns the new position when its filter matches nothing, and resumes from there", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const source = new PlainEventSource(`${served.url}?types=sync.*`);
    await source.hear("client.connected", 1);
    await publish(served, 1, 5);
    served.skip(2_000);
    const [beat] = await source.hear("client.heartbeat", 1);
    expect(beat?.lastEventId).toMatch(/-5$/);
    expect(beat && JSON.parse(beat.data)).toMatchObject({ data: { position: beat?.lastEventId } });
    source.drop();
    await served.broker.publish("sync.completed", { n: 6 });
    await source.hear("sync.completed", 1);
    const [, again] = await source.hear("client.connected", 2);
    expect(again && JSON.parse(again.data)).toMatchObject({ data: { resumed: true } });
  });

  it.each(["lastEventId", "last_event_id", "after"])(
    "starts where ?%s= says, the header winning",
    async (parameter) => {
      const served = await serveGateway();
      const first = await served.broker.publish("model.added", { n: 1 });
      await publish(served, 2, 4);
      const byQuery = new PlainEventSource(`${served.url}?${parameter}=${first.id}`);
      expect(numbers(await byQuery.hear("model.added", 3))).toEqual([2, 3, 4]);
      const byHeader = new PlainEventSource(`${served.url}?${parameter}=${first.id}`, {
        "Last-Event-ID": first.id.replace(/-1$/, "-3"),
      });
      expect(numbers(await byHeader.hear("model.added", 1))).toEqual([4]);
      const fromStart = new PlainEventSource(`${served.url}?${parameter}=earliest`);
      expect(numbers(await fromStart.hear("model.added", 4))).toEqual([1, 2, 3, 4]);
    },
  );

  it("hears everything with onmessage when names are off", async () => {
    const served = await serveGateway();
    const source = new PlainEventSource(`${served.url}?named=false`);
    await source.hear("message", 1);
    await publish(served, 1, 2);
    const heard = await source.hear("message", 3);
    expect(heard.map((each) => envelopeOf(each).type)).toEqual(["client.connected", "model.added", "model.added"]);
  });

  it("may get the data only, or CloudEvents", async () => {
    const dataOnly = await serveGateway({ sse: { payload: "data" } });
    const plain = new PlainEventSource(`${dataOnly.url}?named=false`);
    await plain.hear("client.connected", 1);
    await publish(dataOnly, 1, 1);
    expect((await plain.hear("message", 1)).map(({ data }) => data)).toEqual(['{"n":1}']);
    const clouds = await serveGateway({ sse: { payload: cloudEvents({ source: "/catalog" }) } });
    const cloudy = new PlainEventSource(clouds.url);
    await cloudy.hear("client.connected", 1);
    await publish(clouds, 1, 1);
    const [event] = await cloudy.hear("model.added", 1);
    expect(event && JSON.parse(event.data)).toMatchObject({ specversion: "1.0", type: "model.added", data: { n: 1 } });
  });

  it("is closed at its age and comes back without loss", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const source = new PlainEventSource(served.url);
    await source.hear("client.connected", 1);
    await publish(served, 1, 2);
    await source.hear("model.added", 2);
    served.skip(15 * 60_000 * 1.2);
    const [closing] = await source.hear("client.closing", 1);
    expect(closing && JSON.parse(closing.data)).toMatchObject({ data: { reason: "max_age", reconnectInMs: 0 } });
    await publish(served, 3, 4);
    expect(numbers(await source.hear("model.added", 4))).toEqual([1, 2, 3, 4]);
    expect(await served.seen("clientClosed")).toMatchObject({ gateway: "sse", reason: "max_age" });
  });

  it("stays away when its token has expired: closed after the grace, then 204", async () => {
    let isValid = true;
    const authorize = () => (isValid ? { identity: "ada", expiresAt: Date.now() + 60_000 } : null);
    const served = await serveGateway({ sse: { authorize, heartbeatMs: 1_000 } });
    const source = new PlainEventSource(served.url);
    await source.hear("client.connected", 1);
    await publish(served, 1, 1);
    await source.hear("model.added", 1);
    served.skip(60_000);
    const [closing] = await source.hear("client.closing", 1);
    expect(closing && JSON.parse(closing.data)).toMatchObject({
      data: { reason: "unauthorized", reconnectInMs: null },
    });
    expect(source.readyState).toBe("open");
    isValid = false;
    served.skip(25_000);
    await source.until(() => source.readyState === "closed");
    expect(source.answers).toEqual([200, 204]);
  });

  it("is refused with 401 and a reason when it was never authorized", async () => {
    const served = await serveGateway({ sse: { authorize: () => null } });
    const source = new PlainEventSource(served.url);
    await source.until(() => source.readyState === "closed");
    expect(source.answers).toEqual([401]);
    expect(served.gateway.connectionCount).toBe(0);
  });

  it("never gets what its grant does not allow, on replay either", async () => {
    const authorize = () => ({ identity: "ada", types: ["sync.*"] });
    const served = await serveGateway({ sse: { authorize } });
    await publish(served, 1, 3);
    await publish(served, 4, 4, "sync.completed");
    const source = new PlainEventSource(`${served.url}?after=earliest&types=model.*,sync.*`);
    await source.hear("sync.completed", 1);
    expect(source.heard.map(({ type }) => type)).toEqual(["client.connected", "sync.completed"]);
  });
});

describe("a broker that closes", () => {
  it("tells every client when to come back, and they find the next server where they left this one", async () => {
    const served = await serveGateway();
    const sources = Array.from({ length: 20 }, () => new PlainEventSource(served.url));
    for (const source of sources) await source.hear("client.connected", 1);
    await publish(served, 1, 3);
    const closing = served.broker.close();
    for (const source of sources) {
      await source.hear("model.added", 3);
      const [told] = await source.hear("client.closing", 1);
      const { reason, reconnectInMs } =
        (told && (JSON.parse(told.data) as { data: { reason: string; reconnectInMs: number } }).data) ?? {};
      expect(reason).toBe("restart");
      expect(source.retryMs).toBe(reconnectInMs);
      source.close();
    }
    await closing;
    expect(served.gateway.connectionCount).toBe(0);
    expect(await served.seen("drainCompleted")).toMatchObject({ undone: [] });
  });

  it("refuses new clients with 503 and says when to try again", async () => {
    const served = await serveGateway({ sse: { authorize: allowAnyone } });
    await served.broker.close();
    const response = await fetch(served.url);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.json()).toMatchObject({ code: "draining" });
  });
});
