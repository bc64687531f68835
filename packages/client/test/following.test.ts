import { describe, expect, it } from "vitest";
import { Follower } from "./follower.ts";
import { House } from "./house.ts";

describe.each(["websocket", "sse"] as const)("a client over %s", (transport) => {
  it("gets what is published after it is live, once and in order", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, transport });
    await follower.untilState("live");
    await house.draw(1, 300);
    await follower.untilNumber(300);
    expect(follower.numbers).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(follower.states.map(({ kind }) => kind)).toEqual(["connecting", "live"]);
    expect(follower.client.position).toBe(house.position);
  });

  it("goes on where it was after its connection was cut", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, transport });
    await follower.untilState("live");
    await house.draw(1, 10);
    await follower.untilNumber(10);
    house.cut();
    await follower.untilState("waiting");
    await house.draw(11, 700);
    await follower.untilNumber(700);
    expect(follower.numbers).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
    expect(follower.gaps).toEqual([]);
    await follower.untilState("live");
    expect(follower.states.map(({ kind }) => kind)).toEqual([
      ...["connecting", "live", "waiting", "connecting", "catching_up", "live"],
    ]);
  });

  it("is told exactly what is missing", async () => {
    const house = await House.open({ maxEvents: 100 });
    const follower = new Follower({ url: house.url, transport });
    await follower.untilState("live");
    await house.draw(1, 10);
    await follower.untilNumber(10);
    const place = follower.client.position;
    house.cut();
    await follower.untilState("waiting");
    for (let n = 11; n <= 400; n += 30) await house.draw(n, Math.min(n + 29, 400));
    await follower.untilNumber(400);
    const [gap] = follower.gaps;
    expect(follower.gaps).toHaveLength(1);
    expect(gap).toMatchObject({ after: place, reason: "trimmed" });
    const through = Number(gap?.through.split("-")[1]);
    expect(follower.numbers).toEqual([
      ...Array.from({ length: 10 }, (_, index) => index + 1),
      ...Array.from({ length: 400 - through }, (_, index) => through + index + 1),
    ]);
  });
});
