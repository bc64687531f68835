import { typeMatcher } from "@starcast/core/wire";
import { describe, expect, it } from "vitest";
import { listenersOf, maxListeners } from "./listeners.ts";

const ignore = (): void => undefined;

describe("listeners", () => {
  it("hear the types that the server's patterns mean", () => {
    const segments = ["model", "added", "a-b", "A_1"];
    const types = [...segments.flatMap((a) => segments.map((b) => `${a}.${b}`)), "model.price.added", "a.b.c.d"];
    const patterns = [
      "**",
      "model.*",
      "*.added",
      "model.**",
      "*.*",
      "*.**",
      "model.*.added",
      "model.added",
      "a.b.c.**",
    ];
    for (const pattern of patterns) {
      const matches = typeMatcher(pattern);
      for (const type of types) {
        const heard: unknown[] = [];
        const listeners = listenersOf(ignore);
        listeners.add(pattern, (value) => void heard.push(value));
        expect([pattern, type, listeners.tell(type, type)]).toEqual([pattern, type, matches(type)]);
        expect(heard).toEqual(matches(type) ? [type] : []);
      }
    }
  });

  it("of every event hear of no state and no gap", () => {
    const listeners = listenersOf(ignore);
    listeners.add("**", ignore);
    listeners.add("*.*", ignore);
    expect(listeners.tell("gap", {})).toBe(false);
    listeners.add("gap", ignore);
    expect(listeners.tell("gap", {})).toBe(true);
    expect(listeners.tell("state", {})).toBe(false);
  });

  it("that throw harm nobody else, and are named", () => {
    const warnings: unknown[] = [];
    const heard: number[] = [];
    const listeners = listenersOf((message, cause) => void warnings.push([message, cause]));
    const failure = new Error("x");
    listeners.add("a.b", () => {
      throw failure;
    });
    listeners.add("a.b", () => void heard.push(1));
    listeners.tell("a.b", {});
    expect(heard).toEqual([1]);
    expect(warnings).toEqual([["a listener of `a.b` threw", failure]]);
  });

  it("are bounded, and leave room when they are taken away", () => {
    const listeners = listenersOf(ignore);
    const stops = Array.from({ length: maxListeners }, () => listeners.add("a.b", ignore));
    expect(() => listeners.add("a.b", ignore)).toThrow(expect.objectContaining({ code: "overloaded" }));
    stops[0]?.();
    stops[0]?.();
    listeners.add("a.b", ignore);
  });

  it.each(["gaps", "", "a(b.c", "model"])("cannot listen for %j", (what) => {
    expect(() => listenersOf(ignore).add(what, ignore)).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });
});
