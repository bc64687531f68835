import { describe, expect, it } from "vitest";
import { StarcastError } from "../errors.ts";
import type { Moment } from "./observer.ts";
import { logTo } from "./log-to.ts";

describe("a log", () => {
  it("has warnings only, unless it is asked for more", () => {
    expect(logTo(recorder().logger).level).toBe("warn");
    expect(logTo(recorder().logger, { level: "debug" }).level).toBe("debug");
  });

  it("says what happened in one line, with the code of an error", () => {
    const { logger, lines } = recorder();
    logTo(logger)({
      kind: "subscriberFailed",
      level: "warn",
      subscriber: "#1",
      error: new StarcastError("overloaded", "too\nmuch"),
    });
    expect(lines).toEqual(['warn starcast subscriberFailed subscriber=#1 error=overloaded "too much"']);
  });

  it("repeats nothing that a foreign error says, which may be a secret", () => {
    const { logger, lines } = recorder();
    logTo(logger)({ kind: "subscriberFailed", level: "warn", subscriber: "#1", error: new TypeError("token hunter2") });
    expect(lines).toEqual(["warn starcast subscriberFailed subscriber=#1 error=TypeError"]);
  });

  it("has at most ten lines of a kind in a minute, and counts the rest", () => {
    const { logger, lines } = recorder();
    let now = 0;
    const observe = logTo(logger, { now: () => now });
    const moment: Moment = { kind: "leaseLost", level: "warn", name: "x" };
    for (let index = 0; index < 25; index += 1) observe(moment);
    observe({ kind: "observerFailed", level: "warn", error: 1 });
    now = 60_000;
    observe(moment);
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe("warn starcast leaseLost name=x (and 15 more of this kind since)");
  });

  it("refuses options it does not know", () => {
    expect(() => logTo(recorder().logger, { levle: "info" } as never)).toThrow(/did you mean `level`/);
  });
});

function recorder() {
  const lines: string[] = [];
  const at = (level: string) => (line: unknown) => void lines.push(`${level} ${String(line)}`);
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn") } };
}
