import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished, describe, expect, it } from "vitest";
import { MemoryStore } from "@starcast/core";
import { Crowd } from "./storm/crowd.ts";
import { openHouse } from "./storm/house.ts";
import { tellReport, type Report } from "./storm/report.ts";

// By hand: STORM_CLIENTS=10000 STORM_SECONDS=600. The server is in this process, and the clients are in others.
const clients = Number(process.env["STORM_CLIENTS"] ?? 500);
const seconds = Number(process.env["STORM_SECONDS"] ?? 60);
const stepMs = 50;
/** Each client reads every event; two cores do so much beside the reconnects, with room to spare. */
const eventsPerSecond = Math.max(1, Math.min(40, Math.floor(20_000 / clients)));
/** Everybody about every five seconds; a crowd of more than 4,000 less often, so that the storm lasts and does not grow. */
const lossesPerSecond = Math.min(clients / 5, 800);
const everySeconds = clients / lossesPerSecond;
const mostPerProcess = 4_000;
const connectWithinMs = 120_000;
const settleWithinMs = 90_000;

describe("a long storm of reconnects over both transports", () => {
  it(
    "leaves every client with every event once, in order, or inside an exact gap",
    async () => {
      const seed = Number(process.env["SEED"] ?? 20_261_126);
      const processes = Math.max(2, Math.ceil(clients / mostPerProcess));
      // Who is away for twice the usual time misses something.
      const retention = { maxEvents: Math.ceil(eventsPerSecond * everySeconds * 2) };
      const { broker, urls } = await openHouse({ store: new MemoryStore({ retention }), doors: processes });
      const residentBefore = process.memoryUsage().rss;
      const crowd = new Crowd(
        urls.map((url, index) => ({
          url,
          clients: share(clients, processes, index),
          seed: seed + index,
          lossesPerSecond: lossesPerSecond / processes,
        })),
      );
      const areConnected = await crowd.connected(connectWithinMs);

      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      onTestFinished(() => void delay.disable());
      let greatestResident = residentBefore;
      const tell = (report: Report): string => {
        const grown = Math.round((greatestResident - residentBefore) / 1_048_576);
        return `${tellReport(report)}; server: ${grown} MiB more, event loop late by ${Math.round(delay.max / 1e6)} ms at most`;
      };
      const startedAt = performance.now();
      const elapsedSeconds = (): number => (performance.now() - startedAt) / 1_000;
      let published = 0;
      let toldSeconds = 0;
      if (areConnected) crowd.shake();
      while (areConnected && elapsedSeconds() < seconds) {
        for (; published < elapsedSeconds() * eventsPerSecond; published += 1)
          void broker.publish("storm.event", { number: published, at: Date.now() });
        await pause(stepMs);
        greatestResident = Math.max(greatestResident, process.memoryUsage().rss);
        if (elapsedSeconds() < toldSeconds + 60) continue;
        toldSeconds = elapsedSeconds();
        console.info(`${Math.round(toldSeconds)} s: ${tell(await crowd.report())}`);
      }
      const report = await crowd.settle(broker.position.offset, settleWithinMs);
      console.info(`storm of ${Math.round(elapsedSeconds())} s: ${tell(report)}`);

      expect(areConnected, `all are connected within ${connectWithinMs} ms`).toBe(true);
      expect(report, `seed ${seed}`).toMatchObject({
        faults: [],
        behind: 0,
        repeated: 0,
        lost: 0,
        wrongGaps: 0,
        clients,
      });
      expect(report.connections).toBeGreaterThan(clients + (lossesPerSecond * seconds) / 2);
      expect(report.gaps, "some were away for longer than the log retains").toBeGreaterThan(0);
    },
    connectWithinMs + seconds * 1_000 + settleWithinMs + 60_000,
  );
});

function share(whole: number, parts: number, index: number): number {
  return Math.floor((whole * (index + 1)) / parts) - Math.floor((whole * index) / parts);
}
