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

  it("is fields and a message for pino, and for whoever asks", () => {
    const { logger } = recorder();
    const calls: unknown[][] = [];
    const warn = (...parts: readonly unknown[]): void => void calls.push([...parts]);
    const pino = { ...logger, warn, bindings: () => ({}) };
    const error = new StarcastError("overloaded", "too\nmuch");
    const position = { epoch: "e", offset: 1 };
    const gap = { after: null, through: position, reason: "unknown" } as const;
    logTo(pino)({ kind: "subscriberFailed", level: "warn", subscriber: "#1", error });
    logTo(
      { ...logger, warn },
      { format: "fields" },
    )({
      kind: "subscriberGapped",
      level: "warn",
      subscriber: "#1",
      gap,
      missed: 1,
    });
    logTo(pino)({ kind: "readFailed", level: "warn", after: 3, error: new TypeError("token hunter2") });
    expect(calls).toEqual([
      [
        { kind: "subscriberFailed", subscriber: "#1", error: { code: "overloaded", message: "too much" } },
        "starcast subscriberFailed",
      ],
      [{ kind: "subscriberGapped", subscriber: "#1", gap, missed: 1 }, "starcast subscriberGapped"],
      [{ kind: "readFailed", after: 3, error: "TypeError" }, "starcast readFailed"],
    ]);
    expect(() => logTo(pino, { format: "json" as never })).toThrow(/`format`/);
    logTo(pino, { format: "lines" })({ kind: "leaseLost", level: "warn", name: "x" });
    expect(calls.at(-1)).toEqual(["starcast leaseLost name=x"]);
  });

  it("counts what was left out in a field", () => {
    const objects: unknown[] = [];
    let now = 0;
    const logger = { ...recorder().logger, warn: (fields: unknown) => void objects.push(fields) };
    const observe = logTo(logger, { format: "fields", maxPerMinute: 1, now: () => now });
    for (let index = 0; index < 3; index += 1) observe({ kind: "leaseLost", level: "warn", name: "x" });
    now = 60_000;
    observe({ kind: "leaseLost", level: "warn", name: "x" });
    expect(objects).toEqual([
      { kind: "leaseLost", name: "x" },
      { kind: "leaseLost", name: "x", leftOut: 2 },
    ]);
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
