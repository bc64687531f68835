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
  window.open(10, ({ payload }, onDone) => {
    said.push(JSON.parse(payload).data.state);
    onDone(null);
  });
  const reporter = new StatusReporter({
    options: { topic: "status", everyMs: 10_000 },
    window,
    surroundings,
    position: () => null,
    mirror: () => null,
  });
  return { reporter, surroundings, said };
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
