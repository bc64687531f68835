import { describe, expect, it } from "vitest";
import { Tickets, type Authorize, type Grant } from "../src/index.ts";
import { Client } from "./client.ts";
import { openHouse, publishNumbers, type House } from "./listen.ts";
import { rawUpgrade, readAnswer, readHead } from "./raw-upgrade.ts";

const secret = "ann-1b9f";

/** Knows one token, by whichever way it comes. */
function knows(tickets: Tickets): Authorize {
  const grant: Grant = { identity: "ann" };
  return ({ token, cookie, url }) =>
    token === secret || cookie("session") === secret ? grant : tickets.redeem(url.searchParams.get("ticket"));
}

describe("a client is known by", () => {
  it.each<[string, (house: House) => Client]>([
    ["its Authorization header", ({ url }) => new Client(url, [], { headers: { authorization: `Bearer ${secret}` } })],
    ["an entry beside its subprotocol", ({ url }) => new Client(url, ["starcast.v1", `starcast.token.${secret}`])],
    [
      "a cookie, on pages of the same host",
      ({ url, port }) =>
        new Client(url, [], { headers: { cookie: `a=1; session=${secret}` }, origin: `http://127.0.0.1:${port}` }),
    ],
  ])("%s", async (_what, connect) => {
    const house = await openHouse({ gateway: { authorize: knows(new Tickets()) } });
    expect((await readAnswer(await rawUpgrade(house.port))).status).toBe(401);
    const client = connect(house);
    await client.frame("client.connected");
    await publishNumbers(house.broker, 1, 1);
    await client.eventCount(1);
    expect(JSON.stringify([client.frames, house.moments])).not.toContain(secret);
  });

  it("a ticket in the URL, once", async () => {
    const tickets = new Tickets();
    const { url, port, moments } = await openHouse({ gateway: { authorize: knows(tickets) } });
    const ticket = tickets.issue({ identity: "ann" });
    await new Client(`${url}?ticket=${ticket}`).frame("client.connected");
    const again = await rawUpgrade(port, { target: `/events?ticket=${ticket}` });
    expect(await readAnswer(again)).toMatchObject({ status: 401, body: { code: "not_authorized" } });
    expect(JSON.stringify(moments)).not.toContain(ticket);
  });
});

describe("a grant that is taken back", () => {
  const byToken: Authorize = ({ token }) => (token === null ? null : { identity: token });
  const as = (house: House, name: string): Client =>
    new Client(house.url, [], { headers: { authorization: `Bearer ${name}` } });

  it("ends every connection of its identity for good, and nobody else's", async () => {
    const house = await openHouse({ gateway: { authorize: byToken } });
    const [first, second, bob] = [as(house, "ann"), as(house, "ann"), as(house, "bob")];
    for (const client of [first, second, bob]) await client.frame("client.connected");
    expect(house.gateway.revoke("ann")).toBe(2);
    void publishNumbers(house.broker, 1, 3);
    for (const client of [first, second]) {
      expect(await client.closed).toEqual({ code: 4403, reason: "forbidden" });
      expect((client.frames.at(-1) ?? {}) as object).toMatchObject({
        type: "client.closing",
        data: { reason: "forbidden", reconnectInMs: null },
      });
      expect(client.events).toEqual([]);
    }
    await bob.eventCount(3);
    while (house.gateway.connectionCount > 1) await house.time.settle();
    expect(house.gateway.stats()).toMatchObject({ connections: 1, connected: 3, closed: { forbidden: 2 } });
    expect(house.gateway.revoke("ann")).toBe(0);
  });

  it("lets nobody in who was being judged meanwhile", async () => {
    let judge: (grant: Grant) => void = () => undefined;
    const house = await openHouse({ gateway: { authorize: () => new Promise((resolve) => void (judge = resolve)) } });
    const socket = await rawUpgrade(house.port);
    while (house.broker.admission.connections === 0) await house.time.settle();
    house.gateway.revoke("ann");
    judge({ identity: "ann" });
    expect(await readAnswer(socket)).toMatchObject({ status: 403, body: { code: "revoked" } });
    expect([house.broker.admission.connections, house.broker.subscriberCount]).toEqual([0, 0]);
    expect(house.gateway.stats().refused).toEqual({ revoked: 1 });
    const next = await rawUpgrade(house.port);
    while (house.broker.admission.connections === 0) await house.time.settle();
    judge({ identity: "ann" });
    expect(await readHead(next)).toContain("101");
  });

  it("is an identity, not whatever else is given", async () => {
    const { gateway } = await openHouse();
    expect(() => gateway.revoke("")).toThrow(/an identity/);
  });
});
