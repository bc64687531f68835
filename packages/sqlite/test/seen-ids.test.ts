import { describe, expect, it } from "vitest";
import { houseOfFiles, outcomeOf } from "./house.ts";

const house = houseOfFiles();
const attempt = (id: string, content = `content of ${id}`) => ({ id, content });

describe("what a store remembers of handled webhooks", () => {
  it("is taken once, lets in again what failed, and knows an id from when it was handled", async () => {
    const { open } = house();
    const { seenIds } = await open();
    expect(seenIds.begin(attempt("a"))).toBe("first");
    expect(seenIds.begin(attempt("a"))).toBe("replayed");
    expect(seenIds.begin(attempt("a", "a second try"))).toBe("first");
    seenIds.fail(attempt("a"));
    expect(seenIds.begin(attempt("a"))).toBe("first");
    const kept = seenIds.succeed(attempt("a"));
    expect(seenIds.begin(attempt("a"))).toBe("replayed");
    await kept;
    expect(seenIds.begin(attempt("a"))).toBe("replayed");
    expect(seenIds.begin(attempt("a", "a third try"))).toBe("repeated");
  });

  it("outlives the process, but for what was in its handlers", async () => {
    const { open } = house();
    const first = await open();
    first.seenIds.begin(attempt("done"));
    await first.seenIds.succeed(attempt("done"));
    first.seenIds.begin(attempt("begun"));
    await first.close();
    expect(await outcomeOf(first.seenIds.succeed(attempt("begun")))).toBe("store_closed");
    const { seenIds } = await open();
    expect(seenIds.begin(attempt("done"))).toBe("replayed");
    expect(seenIds.begin(attempt("done", "another try"))).toBe("repeated");
    expect(seenIds.begin(attempt("begun"))).toBe("first");
  });

  it("is at most maxSeenIds, the newest, and goes in steps when the next life keeps fewer", async () => {
    const { open, edit } = house();
    const count = async (): Promise<unknown> => {
      let row: unknown;
      await edit((driver) => (row = driver.prepare("SELECT count(*) AS count FROM seen").get()));
      return row;
    };
    const first = await open({ maxSeenIds: 5 });
    for (let number = 1; number <= 8; number += 1) await first.seenIds.succeed(attempt(`${number}`));
    expect(await count()).toMatchObject({ count: 5 });
    expect(first.seenIds.begin(attempt("3"))).toBe("first");
    expect(first.seenIds.begin(attempt("4"))).toBe("replayed");
    await first.close();
    const { seenIds } = await open({ maxSeenIds: 2, pruneRows: 2 });
    await seenIds.succeed(attempt("9"));
    expect(await count()).toMatchObject({ count: 4 });
    await seenIds.succeed(attempt("10"));
    await seenIds.succeed(attempt("11"));
    expect(await count()).toMatchObject({ count: 2 });
  });

  it("refuses more in their handlers than it remembers at all", async () => {
    const { open } = house();
    const { seenIds } = await open({ maxSeenIds: 2 });
    seenIds.begin(attempt("a"));
    seenIds.begin(attempt("b"));
    expect(() => seenIds.begin(attempt("c"))).toThrow(expect.objectContaining({ code: "overloaded" }));
    await seenIds.succeed(attempt("a"));
    expect(seenIds.begin(attempt("c"))).toBe("first");
  });

  it("is refused when it is damaged, and so is the webhook", async () => {
    const { open, edit } = house();
    const first = await open();
    await first.seenIds.succeed(attempt("a"));
    await first.close();
    await edit((driver) => driver.exec("UPDATE seen SET id = 'b'"));
    const { seenIds } = await open();
    expect(() => seenIds.begin(attempt("b", "new"))).toThrow(expect.objectContaining({ code: "store_corrupt" }));
    expect(() => seenIds.begin(attempt("a"))).toThrow(expect.objectContaining({ code: "store_corrupt" }));
  });
});
