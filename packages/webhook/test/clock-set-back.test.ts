import { describe, expect, it } from "vitest";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, listening, play } from "./house.ts";

const hour = 3_600_000;

describe("a clock that is set back by hours", () => {
  /** Its time of day can be moved by itself. */
  function movable() {
    const time = fakeTime();
    const offset = { ms: 0 };
    return { time, offset, surroundings: { ...time, clock: { now: () => time.clock.now() + offset.ms } } };
  }

  it("holds nobody to the rate of before", async () => {
    const { time, offset, surroundings } = movable();
    const to = await listening();
    const at = house({ allow: [to.origin], surroundings });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ratePerSecond: 2 });
    await at.broker.publish("a.b", 0);
    await play(time, time.clock.now() + 1, at);
    offset.ms = -3 * hour;
    for (let count = 1; count <= 6; count += 1) await at.broker.publish("a.b", count);
    await play(time, time.clock.now() + 1_000, at);
    expect(to.received.length).toBeLessThanOrEqual(4);
    await play(time, time.clock.now() + 3_000, at);
    expect(to.received.map(dataOf)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("lengthens no rest", async () => {
    const { time, offset, surroundings } = movable();
    let isDown = true;
    const to = await listening((_, response) => response.writeHead(isDown ? 500 : 204).end());
    const at = house({ allow: [to.origin], surroundings });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, concurrency: 32 });
    for (let count = 0; count < 10; count += 1) await at.broker.publish("a.b", count);
    await play(time, time.clock.now() + 1, at);
    expect(at.all("webhookEndpointRested")).toMatchObject([{ untilMs: surroundings.clock.now() + 30_000 }]);
    const tried = to.received.length;
    offset.ms = -3 * hour;
    isDown = false;
    await at.broker.publish("a.b", "after");
    await play(time, time.clock.now() + 29_000, at);
    expect(to.received).toHaveLength(tried);
    await play(time, time.clock.now() + 2_000, at);
    expect(to.received.slice(tried).map(dataOf)).toEqual(["after"]);
    expect(at.all("webhookEndpointRecovered")).toHaveLength(1);
  });
});
