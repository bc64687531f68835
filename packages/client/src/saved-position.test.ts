import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveConnectOptions } from "./options.ts";
import { localStoragePositions, maxMemoryPositions, memoryPositions, type PositionStore } from "./position-store.ts";
import { savedPosition } from "./saved-position.ts";

afterEach(() => void vi.unstubAllGlobals());

function saving(store: PositionStore): {
  readonly saved: ReturnType<typeof savedPosition>;
  readonly warnings: string[];
} {
  const warnings: string[] = [];
  const runtime = { warn: (message: string) => void warnings.push(message) };
  return { saved: savedPosition(store, resolveConnectOptions({ url: "http://a.test/", runtime })), warnings };
}

describe("a saved position", () => {
  it("is saved one after the other, the newest last, however slow the store", async () => {
    const log: string[] = [];
    let finish: () => void = () => undefined;
    const { saved } = saving({
      load: () => null,
      save: async (_key, position) => {
        log.push(`begin ${position}`);
        await new Promise<void>((resolve) => (finish = resolve));
        log.push(`end ${position}`);
      },
    });
    saved.moved("a-1");
    const first = saved.flush();
    // In the very turn: a page may get no other.
    expect(log).toEqual(["begin a-1"]);
    saved.moved("a-2");
    saved.moved("a-3");
    const second = saved.flush();
    finish();
    await vi.waitFor(() => expect(log.at(-1)).toBe("begin a-3"));
    finish();
    await Promise.all([first, second]);
    expect(log).toEqual(["begin a-1", "end a-1", "begin a-3", "end a-3"]);
    await saved.flush();
    expect(log).toHaveLength(4);
  });

  it("that cannot be loaded or saved costs a warning", async () => {
    const fail = (): never => {
      throw new Error("full");
    };
    const { saved, warnings } = saving({ load: fail, save: fail });
    expect(await saved.load()).toBe(null);
    saved.moved("a-1");
    await saved.flush();
    expect(warnings).toEqual(["no position could be loaded", "no position could be saved"]);
  });

  it("that could not be saved is saved when the client is closed", async () => {
    const kept: string[] = [];
    let isFull = true;
    const { saved } = saving({
      load: () => null,
      save: (_key, position) => {
        if (isFull) throw new Error("full");
        kept.push(position);
      },
    });
    saved.moved("a-1");
    await saved.flush();
    isFull = false;
    await saved.flush();
    expect(kept).toEqual(["a-1"]);
  });

  it.each([null, undefined, "", "junk", "a-01", 7])("that reads %j is none", async (kept) => {
    const { saved } = saving({ load: () => kept as never, save: () => undefined });
    expect(await saved.load()).toBe(null);
  });
});

describe("the stores of positions", () => {
  it("in memory keep so many, and forget the oldest", () => {
    const store = memoryPositions();
    for (let key = 0; key <= maxMemoryPositions; key += 1) void store.save(String(key), `a-${key}`);
    expect(store.load("0")).toBe(null);
    expect(store.load("1")).toBe("a-1");
  });

  it("in `localStorage` keep what it keeps", () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
    void localStoragePositions().save("here", "a-1");
    expect(localStoragePositions().load("here")).toBe("a-1");
    expect(localStoragePositions().load("there")).toBe(null);
  });
});
