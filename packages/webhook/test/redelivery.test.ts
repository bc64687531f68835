import { describe, expect, it } from "vitest";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, idsOf, listening, play, type House } from "./house.ts";
import type { Receiver } from "./loopback.ts";

const minute = 60_000;

interface History {
  readonly at: House;
  readonly to: Receiver;
  /** One event a minute: the first three were given up, the fourth arrived. */
  readonly sent: readonly string[];
  readonly startedAt: number;
  /** Plays a minute; gives what arrived in it. */
  next(): Promise<readonly string[]>;
}

async function history(): Promise<History> {
  const time = fakeTime();
  let isDead = true;
  const to = await listening((_, response) =>
    response.writeHead(isDead ? 500 : 204, isDead ? { "webhook-delivery": "abort-message" } : {}).end(),
  );
  const at = house({ allow: [to.origin], surroundings: time });
  await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
  const startedAt = time.clock.now();
  const sent: string[] = [];
  for (let each = 0; each < 4; each += 1) {
    isDead = each < 3;
    sent.push((await at.broker.publish("a.b", each)).id);
    await play(time, startedAt + (each + 1) * minute, at);
  }
  expect(idsOf(to)).toEqual(sent);
  const next = async (): Promise<readonly string[]> => {
    const before = to.received.length;
    await play(time, time.clock.now() + minute, at);
    return idsOf(to).slice(before).toSorted();
  };
  return { at, to, sent, startedAt, next };
}

describe("a delivery that ended", () => {
  it("is sent again alone, whether it failed or arrived", async () => {
    const { at, sent, next } = await history();
    for (const eventId of [sent[1], sent[3]]) {
      expect(await at.webhooks.deliveries.redeliver({ endpointId: "partner", eventId })).toBe(1);
      expect(await next()).toEqual([eventId]);
    }
    expect((await at.webhooks.deadLetters.list({})).deliveries.map(({ event }) => event.id)).toEqual([
      sent[2],
      sent[0],
    ]);
  });

  it("is sent again with all of a range of time, failed or not", async () => {
    const { at, sent, startedAt, next } = await history();
    const range = { endpointId: "partner", since: startedAt + 2 * minute, until: startedAt + 4 * minute };
    expect(await at.webhooks.deliveries.redeliver(range)).toBe(2);
    expect(await next()).toEqual(sent.slice(2));
  });

  it("is sent again with everything that failed since a time, and with nothing else", async () => {
    const { at, sent, startedAt, next } = await history();
    expect(await at.webhooks.deadLetters.redeliver({ since: startedAt + minute })).toBe(2);
    expect(await next()).toEqual(sent.slice(1, 3));
    expect((await at.webhooks.deadLetters.list({})).deliveries).toMatchObject([{ event: { id: sent[0] } }]);
    expect(await at.webhooks.deadLetters.redeliver({ since: startedAt + minute })).toBe(0);
  });
});

describe("what is kept of deliveries", () => {
  it("goes when it ended as long ago as was said; what still waits stays", async () => {
    const time = fakeTime();
    const to = await listening((got, response) =>
      response
        .writeHead(
          dataOf(got) === "fine" ? 204 : 500,
          dataOf(got) === "dead" ? { "webhook-delivery": "abort-message" } : {},
        )
        .end(),
    );
    const at = house({ allow: [to.origin], surroundings: time, keepFinishedMs: 60 * minute });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const startedAt = time.clock.now();
    const ids = new Map<string, string>();
    for (const data of ["fine", "dead", "waiting"]) ids.set(data, (await at.broker.publish("a.b", data)).id);
    const known = async (): Promise<readonly string[]> => {
      const found = await Promise.all(
        [...ids].map(async ([data, id]) => ((await at.webhooks.deliveries.get("partner", id)) === null ? "" : data)),
      );
      return found.filter((data) => data !== "");
    };
    await play(time, startedAt + 59 * minute, at);
    expect(await known()).toEqual(["fine", "dead", "waiting"]);
    await play(time, startedAt + 62 * minute, at);
    expect(await known()).toEqual(["waiting"]);
  });
});

describe("events that an endpoint never got", () => {
  it("are sent since a place in the log, those that it wants, each once", async () => {
    const { at, to, sent, next } = await history();
    const from = { ...at.broker.position, offset: 0 };
    const { webhooks } = at;
    await webhooks.endpoints.put({ id: "late", url: to.origin });
    const other = (await at.broker.publish("c.d", 1)).id;
    expect(await next()).toEqual([other, other]);
    await webhooks.endpoints.put({ id: "late", url: to.origin, types: ["a.*"] });
    expect(await webhooks.deliveries.redeliverMissing("late", { ...from, offset: 1 })).toBe(3);
    expect(await next()).toEqual(sent.slice(1));
    expect(await webhooks.deliveries.redeliverMissing("late", from)).toBe(1);
    expect(await next()).toEqual(sent.slice(0, 1));
    expect(await webhooks.deliveries.redeliverMissing("late", from)).toBe(0);
    expect(await webhooks.deliveries.redeliverMissing("partner", from)).toBe(0);
    expect(await next()).toEqual([]);
  });

  it("are not looked for after what is no place", async () => {
    const { at, sent } = await history();
    for (const after of [sent[0], null, { epoch: "e" }, { ...at.broker.position, offset: -1 }, { id: sent[0] }])
      await expect(at.webhooks.deliveries.redeliverMissing("partner", after as never)).rejects.toThrow();
  });

  it("are not looked for on behalf of an endpoint that was never put", async () => {
    const { at } = await history();
    await expect(at.webhooks.deliveries.redeliverMissing("nobody", at.broker.position)).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
