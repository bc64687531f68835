import { describe, expect, it, onTestFinished } from "vitest";
import { Broker } from "../broker/broker.ts";
import type { Moment } from "../observe/observer.ts";
import { Entrance, type Accepted } from "./entrance.ts";
import { resolveGatewayOptions, type GatewayOptions } from "./gateway-options.ts";
import { allowAnyone } from "./grant.ts";
import { visitOfNode } from "./visit.ts";
import type { Visit } from "./visitor.ts";

function openEntrance(options: Partial<GatewayOptions> = {}): {
  entrance: Entrance;
  broker: Broker;
  moments: Moment[];
} {
  const moments: Moment[] = [];
  const broker = new Broker({ observe: [(moment) => void moments.push(moment)] });
  onTestFinished(() => broker.close());
  const entrance = new Entrance(broker, "test", resolveGatewayOptions({ authorize: allowAnyone, ...options }));
  return { entrance, broker, moments };
}

function visit(headers: Record<string, string> = {}, url = "/events", remoteAddress = "198.51.100.7"): Visit {
  return visitOfNode(
    { method: "GET", url, headers: { host: "app.example", ...headers }, socket: { remoteAddress } },
    "sse",
  );
}

async function letIn(entrance: Entrance, asking: Visit): Promise<Accepted> {
  const decision = await entrance.decide(asking);
  if (decision.kind === "rejected") throw new Error(`Expected to be let in, got ${decision.code}`);
  return decision;
}

describe("the entrance", () => {
  it("gives what was asked for within what is granted, from where the client left off", async () => {
    const grant = { identity: "ann", types: ["model.*"], subjects: ["acme/*"], replayEvents: 5 };
    const { entrance } = openEntrance({ authorize: () => grant });
    const { subscribe, clientId } = await letIn(
      entrance,
      visit({ "last-event-id": "k3f9-12" }, "/events?types=model.added"),
    );
    expect(subscribe).toEqual({
      types: ["model.added"],
      subjects: undefined,
      within: { types: ["model.*"], subjects: ["acme/*"] },
      from: { epoch: "k3f9", offset: 12 },
      maxReplayEvents: 5,
    });
    expect(clientId).toMatch(/^[0-9a-z]{14}$/);
  });

  it("asks authorize only for whom it would let in", async () => {
    let asked = 0;
    const authorize = (): null => {
      asked += 1;
      return null;
    };
    const { entrance } = openEntrance({ authorize, connections: { maxPerAddress: 1 } });
    const codes = [];
    for (const headers of [{ host: "a b" }, { origin: "https://evil.example" }, {}]) {
      const decision = await entrance.decide(visit(headers));
      codes.push(decision.kind === "rejected" ? decision.code : decision.kind);
    }
    expect(codes).toEqual(["bad_request", "origin_refused", "not_authorized"]);
    expect(asked).toBe(1);
  });

  it("holds a seat only for those it let in", async () => {
    const { entrance, broker } = openEntrance({ connections: { maxPerAddress: 1 } });
    await entrance.decide(visit({}, "/events?types=nodots"));
    const { seat } = await letIn(entrance, visit());
    expect(await entrance.decide(visit())).toMatchObject({ status: 429, code: "too_many_from_address" });
    expect(broker.admission.connections).toBe(1);
    seat.leave();
    await letIn(entrance, visit());
  });

  it("warns of an unnamed proxy once, and does not count its clients as one", async () => {
    const { entrance, moments } = openEntrance({ connections: { maxPerAddress: 1 } });
    for (let n = 0; n < 3; n += 1)
      await letIn(entrance, visit({ "x-forwarded-for": `198.51.100.${n}` }, "/events", "10.0.0.1"));
    const warnings = moments.filter(({ kind }) => kind === "proxySuspected");
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).toContain("`trustedProxies`");
  });

  it("refuses everybody once it is stopped, also who was being judged", async () => {
    let judge: (grant: { identity: null }) => void = () => undefined;
    const { entrance, broker } = openEntrance({ authorize: () => new Promise((resolve) => void (judge = resolve)) });
    const waiting = entrance.decide(visit());
    entrance.stop();
    judge({ identity: null });
    expect(await waiting).toMatchObject({ status: 503, code: "draining" });
    expect(await entrance.decide(visit())).toMatchObject({ status: 503, code: "draining" });
    expect(broker.admission.connections).toBe(0);
  });

  it("tells the observer of a failing authorize, the client nothing of it", async () => {
    const { entrance, moments } = openEntrance({
      authorize: () => Promise.reject(new Error("password of the database")),
    });
    const decision = await entrance.decide(visit());
    expect(JSON.stringify(decision)).not.toContain("password");
    expect(moments.map(({ kind }) => kind)).toEqual(["authorizeFailed", "clientRefused"]);
  });

  it("lets a page of the same origin in with its cookies, which sends no Origin with a GET", async () => {
    const { entrance } = openEntrance();
    expect(await entrance.decide(visit({ cookie: "s=1" }))).toMatchObject({ code: "origin_refused" });
    await letIn(entrance, visit({ cookie: "s=1", "sec-fetch-site": "same-origin" }));
    expect(await entrance.decide(visit({ cookie: "s=1", "sec-fetch-site": "cross-site" }))).toMatchObject({
      code: "origin_refused",
    });
  });

  it("renews a grant only for the identity that has it", async () => {
    const { entrance } = openEntrance({ authorize: ({ token }) => (token === null ? null : { identity: token }) });
    expect(await entrance.renew(visit(), "ann", "ann")).toMatchObject({ identity: "ann" });
    expect(await entrance.renew(visit(), "bob", "ann")).toBeNull();
  });
});
