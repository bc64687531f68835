import { Tickets, type Authorize, type Grant } from "@starcast/sse";
import { describe, expect, it } from "vitest";
import { PlainEventSource } from "./plain-event-source.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

const secret = "ann-1b9f";

/** Knows one token, by whichever way it comes. */
function knows(tickets: Tickets): Authorize {
  const grant: Grant = { identity: "ann" };
  return ({ token, cookie, url }) =>
    token === secret || cookie("session") === secret ? grant : tickets.redeem(url.searchParams.get("ticket"));
}

describe("a client is known by", () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ["its Authorization header", { authorization: `Bearer ${secret}` }],
    ["a cookie, on pages of the same host", { cookie: `a=1; session=${secret}`, "sec-fetch-site": "same-origin" }],
  ])("%s", async (_what, headers) => {
    const served = await serveGateway({ sse: { authorize: knows(new Tickets()) } });
    expect((await fetch(served.url)).status).toBe(401);
    const source = new PlainEventSource(served.url, headers);
    await source.hear("client.connected", 1);
    await served.broker.publish("model.added", { n: 1 });
    await source.hear("model.added", 1);
    expect(JSON.stringify([source.heard, served.moments])).not.toContain(secret);
  });

  it("a ticket in the URL, once", async () => {
    const tickets = new Tickets();
    const served = await serveGateway({ sse: { authorize: knows(tickets) } });
    const ticket = tickets.issue({ identity: "ann" });
    const source = new PlainEventSource(`${served.url}?ticket=${ticket}`);
    await source.hear("client.connected", 1);
    expect((await fetch(`${served.url}?ticket=${ticket}`)).status).toBe(401);
    // An EventSource that comes back by itself brings the used one: it is told to stay away, and its page asks anew.
    source.drop();
    await source.until(() => source.answers.length === 2);
    expect(source.answers).toEqual([200, 204]);
    expect(JSON.stringify(served.moments)).not.toContain(ticket);
  });
});

describe("a grant that is taken back", () => {
  /** Whoever brings a name is let in, unless it is barred. */
  async function serveNames(): Promise<{ served: Served; barred: Set<string> }> {
    const barred = new Set<string>();
    const authorize: Authorize = ({ token }) => (token === null || barred.has(token) ? null : { identity: token });
    return { served: await serveGateway({ sse: { authorize } }), barred };
  }
  const as = ({ url }: Served, name: string): PlainEventSource =>
    new PlainEventSource(url, { authorization: `Bearer ${name}` });

  it("ends every connection of its identity, who is answered 204 on return, and nobody else's", async () => {
    const { served, barred } = await serveNames();
    const [first, second, bob] = [as(served, "ann"), as(served, "ann"), as(served, "bob")];
    for (const source of [first, second, bob]) await source.hear("client.connected", 1);
    barred.add("ann");
    expect(served.gateway.revoke("ann")).toBe(2);
    await served.broker.publish("model.added", { n: 1 });
    for (const source of [first, second]) {
      const [closing] = await source.hear("client.closing", 1);
      expect(closing && JSON.parse(closing.data)).toMatchObject({ data: { reason: "forbidden", reconnectInMs: null } });
      await source.until(() => source.readyState === "closed");
      expect(source.answers).toEqual([200, 204]);
      expect(source.heard.some(({ type }) => type === "model.added")).toBe(false);
    }
    await bob.hear("model.added", 1);
    expect(served.gateway.stats()).toMatchObject({
      connections: 1,
      connected: 3,
      closed: { forbidden: 2 },
      refused: { not_authorized: 2 },
    });
  });

  it("ends a Fetch stream too", async () => {
    const { served } = await serveNames();
    const request = new Request("http://localhost/events", { headers: { authorization: "Bearer ann" } });
    const response = await served.gateway.fetch(request);
    const text = response.text();
    while (served.gateway.stats().connected === 0) await new Promise(setImmediate);
    expect(served.gateway.revoke("ann")).toBe(1);
    expect(await text).toMatch(/client\.closing.*"reason":"forbidden"/s);
  });

  it("lets nobody in who was being judged meanwhile", async () => {
    let judge: (grant: Grant) => void = () => undefined;
    const authorize: Authorize = () => new Promise((resolve) => void (judge = resolve));
    const served = await serveGateway({ sse: { authorize } });
    for (const [headers, status] of [[{}, 403] as const, [{ "last-event-id": "k3f9-1" }, 204] as const]) {
      const answer = fetch(served.url, { headers });
      while (served.broker.admission.connections === 0) await new Promise(setImmediate);
      served.gateway.revoke("ann");
      judge({ identity: "ann" });
      expect((await answer).status).toBe(status);
      expect([served.broker.admission.connections, served.broker.subscriberCount]).toEqual([0, 0]);
    }
    expect(served.gateway.stats().refused).toEqual({ revoked: 2 });
  });
});
