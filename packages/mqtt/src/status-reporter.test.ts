import { fakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { InFlightWindow } from "./in-flight-window.ts";
import { retoldAfterMs, StatusReporter } from "./status-reporter.ts";

function arrange() {
  const surroundings = fakeSurroundings(1);
  const ignore = (): void => undefined;
  const window = new InFlightWindow({
    ackTimeoutMs: 1_000,
    surroundings,
    onAcknowledged: ignore,
    onRoom: ignore,
    onRefused: ignore,
    onOverdue: ignore,
  });
  const said: unknown[] = [];
  const dropped: unknown[] = [];
  window.open(10, ({ payload }, onDone) => {
    const { state, eventsDropped } = JSON.parse(payload).data;
    said.push(state);
    dropped.push(eventsDropped);
    onDone(null);
  });
  const reporter = new StatusReporter({
    options: { topic: "status", everyMs: 10_000 },
    window,
    surroundings,
    position: () => null,
    mirror: () => null,
  });
  return { reporter, surroundings, said, dropped };
}

describe("a status that does not change", () => {
  it("is told once a minute, over whatever an earlier process said since", async () => {
    const { reporter, surroundings, said } = arrange();
    reporter.start();
    await surroundings.advance(retoldAfterMs - 1);
    expect(said).toEqual(["online"]);
    await surroundings.advance(10_001);
    expect(said).toEqual(["online", "online"]);
    reporter.stop();
    expect(surroundings.timerCount).toBe(0);
  });
});

describe("a loss", () => {
  const loss = (after: number, through: number) => ({
    after: { epoch: "e", offset: after },
    through: { epoch: "e", offset: through },
    reason: "trimmed",
  });

  it("that is told again, or in part, is counted once", () => {
    const { reporter, dropped } = arrange();
    for (const each of [loss(0, 5), loss(0, 5), loss(3, 7), loss(8, 9)]) reporter.loss(each);
    reporter.tell();
    expect(dropped).toEqual([8]);
  });
});
