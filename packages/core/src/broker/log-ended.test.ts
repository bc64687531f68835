import { describe, expect, it } from "vitest";
import { StarcastError } from "../errors.ts";
import type { Moment } from "../observe/observer.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { Broker } from "./broker.ts";

describe("a log that ended", () => {
  it("closes the broker, and `run` rejects with why", async () => {
    const { broker, end } = house();
    const running = broker.run();
    end();
    await expect(running).rejects.toMatchObject({ code: "store_failed" });
    await expect(broker.publish("a.b", 1)).rejects.toMatchObject({ code: "broker_closed" });
  });

  // The engine is away: it cannot say good-bye either, and nobody waits for this close.
  it("tells the observer when the store does not close, and ends no process", async () => {
    const { told, end } = house(() => Promise.reject(new StarcastError("timed_out", "the store")));
    end();
    await expect
      .poll(() => told.map(({ error }) => (error as Error).message), { timeout: 20_000 })
      .toEqual(["the log", "the store"]);
  });
});

function house(close?: () => Promise<void>) {
  let end = (): void => undefined;
  const ended = new Promise<StarcastError>((resolve) => {
    end = () => resolve(new StarcastError("store_failed", "the log"));
  });
  const store = new MemoryStore();
  Object.assign(store.log, { ended });
  if (close !== undefined) store.close = close;
  const told: Extract<Moment, { kind: "logEnded" }>[] = [];
  const observe = [(moment: Moment) => void (moment.kind === "logEnded" && told.push(moment))];
  return { broker: new Broker({ store, observe }), told, end: () => end() };
}
