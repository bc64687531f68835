import { memoryPositions, type Surroundings, type TokenReason } from "@starcast/client";
import { describe, expect, it } from "vitest";
import { realSurroundings } from "../src/surroundings.ts";
import { Follower } from "./follower.ts";
import { House } from "./house.ts";

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);

/** Real ones, but for the waits between two tries, which are a thousandth. */
const impatient: Surroundings = {
  ...realSurroundings,
  scheduler: {
    after: (ms, run, options) =>
      realSurroundings.scheduler.after(options?.holdsProcess === true ? ms / 1_000 : ms, run, options),
  },
};

describe("a client whose connection is cut over and over", () => {
  it.each(["websocket", "sse"] as const)("gets everything once and in order over %s", async (transport) => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, transport, runtime: { surroundings: impatient } });
    await follower.untilState("live");
    for (let cut = 0; cut < 100; cut += 1) {
      const published = house.draw(cut * 20 + 1, cut * 20 + 20);
      house.cut();
      await published;
      await follower.until(() => follower.numbers.length > cut * 20);
    }
    await follower.untilNumber(2_000);
    expect(follower.numbers).toEqual(upTo(2_000));
    expect(follower.gaps).toEqual([]);
    expect(house.visits.length).toBeGreaterThan(50);
  });
});

describe("a client of a server that restarts", () => {
  it("is told of the gap between the two logs, and goes on", async () => {
    const first = await House.open();
    const { port } = first;
    const follower = new Follower({ url: first.url, runtime: { surroundings: impatient } });
    await follower.untilState("live");
    await first.draw(1, 5);
    await follower.untilNumber(5);
    await first.close();
    const second = await House.open({ port });
    await follower.untilState("live");
    await second.draw(6, 9);
    await follower.untilNumber(9);
    expect(follower.numbers).toEqual(upTo(9));
    expect(follower.gaps).toHaveLength(1);
  });
});

describe("a client that is not let in", () => {
  it("asks for a token once more, then stops and says why", async () => {
    const house = await House.open({ gateways: { authorize: () => null } });
    const reasons: TokenReason[] = [];
    const follower = new Follower({
      url: house.url,
      getToken: (reason) => {
        reasons.push(reason);
        return "bad";
      },
    });
    expect(await follower.untilState("closed")).toMatchObject({ reason: "unauthorized" });
    expect(reasons.filter((reason) => reason === "refused")).toHaveLength(1);
    expect(reasons.at(-1)).toBe("refused");
  });

  it("is let in with the second token", async () => {
    const house = await House.open({
      gateways: { authorize: ({ token }) => (token === "good" ? { identity: "ada" } : null) },
    });
    const follower = new Follower({
      url: house.url,
      getToken: (reason) => (reason === "refused" ? "good" : "stale"),
    });
    await follower.untilState("live");
    await house.draw(1, 3);
    await follower.untilNumber(3);
    expect(follower.numbers).toEqual(upTo(3));
  });
});

describe("a client that WebSockets do not reach", () => {
  it("follows over SSE", async () => {
    const house = await House.open({ transports: ["sse"] });
    const follower = new Follower({ url: house.url });
    expect(await follower.untilState("live")).toMatchObject({ transport: "sse" });
    await house.draw(1, 3);
    await follower.untilNumber(3);
  });
});

describe("a saved position", () => {
  it("is where the next client goes on, over the other transport too", async () => {
    const house = await House.open();
    const positions = memoryPositions();
    const first = new Follower({ url: house.url, transport: "websocket", positions });
    await first.untilState("live");
    await house.draw(1, 10);
    await first.untilNumber(10);
    await first.client.close();
    await house.draw(11, 20);
    const second = new Follower({ url: house.url, transport: "sse", positions });
    await second.untilNumber(20);
    expect([...first.numbers, ...second.numbers]).toEqual(upTo(20));
    expect(second.gaps).toEqual([]);
  });

  it("speaks only for the filter it was gained under", async () => {
    const house = await House.open();
    const positions = memoryPositions();
    const first = new Follower({ url: house.url, positions });
    await first.untilState("live");
    await house.draw(1, 10);
    await first.untilNumber(10);
    await first.client.close();
    const second = new Follower({ url: house.url, positions, types: ["number.drawn"], after: "earliest" });
    await second.untilNumber(10);
    expect(second.numbers).toEqual(upTo(10));
  });
});

describe("a `for await` loop", () => {
  it("that is slow holds the client up, and loses nothing", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, maxBufferedEvents: 10 });
    const events = follower.client[Symbol.asyncIterator]();
    await follower.untilState("live");
    await house.draw(1, 200);
    expect(await follower.untilState("waiting")).toMatchObject({ reason: "hand_over_full", retryInMs: null });
    expect(follower.numbers.length).toBeLessThan(200);
    const taken: unknown[] = [];
    for await (const { data } of { [Symbol.asyncIterator]: () => events }) if (taken.push(data) === 200) break;
    expect(taken).toEqual(upTo(200).map((n) => ({ n })));
  });

  it("ends with the signal of its client", async () => {
    const house = await House.open();
    const ending = new AbortController();
    const follower = new Follower({ url: house.url, signal: ending.signal });
    const events = follower.client[Symbol.asyncIterator]();
    await follower.untilState("live");
    const next = events.next();
    ending.abort();
    expect(await next).toMatchObject({ done: true });
    expect(follower.client.state).toMatchObject({ kind: "closed", reason: "closed_here" });
  });

  it("throws what ended its client for good", async () => {
    const house = await House.open({ gateways: { authorize: () => null } });
    const follower = new Follower({ url: house.url });
    const failure = await follower.client[Symbol.asyncIterator]()
      .next()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "not_authorized" });
  });
});
