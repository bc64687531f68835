import { onTestFinished, describe, expect, it } from "vitest";
import { MemoryStore } from "@starcast/core";
import { seededRandom } from "@starcast/testing";
import { openHouse } from "./storm/house.ts";
import { Life, judge } from "./storm/life.ts";

const clients = 60;
const events = 3_000;

describe("a storm of reconnects over both transports", () => {
  it("leaves every client with every event once, in order, or inside an exact gap", async () => {
    const seed = Number(process.env["SEED"] ?? 20_261_123);
    const random = seededRandom(seed);
    const { broker, url } = await openHouse({ store: new MemoryStore({ retention: { maxEvents: 400 } }) });
    const lives = Array.from(
      { length: clients },
      (_, index) => new Life(url, index % 2 === 0 ? "websocket" : "sse", random),
    );
    onTestFinished(() => lives.forEach((life) => life.end()));
    await Promise.all(lives.map((life) => life.connected()));

    for (let published = 0; published < events; published += 1) {
      void broker.publish("storm.event", { number: published });
      if (published % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (published % 5 === 0) lives[Math.floor(random.next() * lives.length)]?.shake();
    }
    await Promise.all(lives.map((life) => life.reached(broker.position.offset)));

    for (const life of lives) expect(judge(life), `seed ${seed}`).toBe("whole");
    expect(lives.reduce((sum, { reconnects }) => sum + reconnects, 0)).toBeGreaterThan(clients);
    expect(
      lives.some(({ gaps }) => gaps.length > 0),
      "some were away for longer than the log retains",
    ).toBe(true);
  });
});
