import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished, describe, expect, it } from "vitest";
import { MemoryStore } from "@starcast/core";
import { seededRandom } from "@starcast/testing";
import { openHouse } from "./storm/house.ts";
import { Life, judge } from "./storm/life.ts";

// By hand: STORM_CLIENTS=10000 STORM_SECONDS=600 (both ends of each connection are here: `ulimit -n` of 30,000).
const clients = Number(process.env["STORM_CLIENTS"] ?? 500);
const seconds = Number(process.env["STORM_SECONDS"] ?? 60);
const stepMs = 50;
// Each client reads every event, and all of them are in this process.
const eventsPerSecond = Math.max(2, Math.min(40, Math.floor(20_000 / clients)));

describe("a long storm of reconnects over both transports", () => {
  it(
    "leaves every client with every event once, in order, or inside an exact gap",
    async () => {
      const seed = Number(process.env["SEED"] ?? 20_261_126);
      const random = seededRandom(seed);
      // Who is away for more than ten seconds misses something.
      const { broker, url } = await openHouse({
        store: new MemoryStore({ retention: { maxEvents: eventsPerSecond * 10 } }),
      });
      const lives: Life[] = [];
      onTestFinished(() => lives.forEach((life) => life.end()));
      while (lives.length < clients) {
        const arriving = Array.from(
          { length: Math.min(100, clients - lives.length) },
          (_, index) => new Life(url, index % 2 === 0 ? "websocket" : "sse", random),
        );
        lives.push(...arriving);
        await Promise.all(arriving.map((life) => life.connected()));
      }

      const startedAt = performance.now();
      const elapsedSeconds = (): number => (performance.now() - startedAt) / 1_000;
      let published = 0;
      let shaken = 0;
      while (elapsedSeconds() < seconds) {
        for (; published < elapsedSeconds() * eventsPerSecond; published += 1)
          void broker.publish("storm.event", { number: published });
        // Everybody loses its connection about every five seconds.
        for (; shaken < (elapsedSeconds() * clients) / 5; shaken += 1)
          lives[Math.floor(random.next() * clients)]?.shake();
        await pause(stepMs);
      }
      await Promise.all(lives.map((life) => life.reached(broker.position.offset)));

      for (const life of lives) expect(judge(life), `seed ${seed}`).toBe("whole");
      expect(lives.reduce((sum, { reconnects }) => sum + reconnects, 0)).toBeGreaterThan(clients * 2);
      expect(
        lives.some(({ gaps }) => gaps.length > 0),
        "some were away for longer than the log retains",
      ).toBe(true);
    },
    (seconds + 120) * 1_000,
  );
});
