import { describe, expect, it } from "vitest";
import { diffCatalogs } from "./diff-catalogs.ts";
import { entryKind } from "./entry-kind.ts";
import type { Model } from "./model.ts";

const model = (provider: string, id: string, fields: object = {}): Model => ({ provider, id, ...fields });

describe("the diff of two catalogs", () => {
  it("tells added, updated, deleted and unchanged models apart by provider and id", () => {
    const before = [
      model("openai", "gpt-6", { price: 2 }),
      model("azure", "gpt-6", { price: 2 }),
      model("openai", "o1"),
    ];
    const after = [
      model("azure", "gpt-6", { price: 2 }),
      model("openai", "gpt-6", { price: 1 }),
      model("openai", "o9"),
    ];
    expect(diffCatalogs(before, after)).toEqual({
      added: [after[2]],
      updated: [{ entry: after[1], previous: before[0], changes: [{ path: "/price", from: 2, to: 1 }] }],
      deleted: [before[2]],
      unchanged: 1,
    });
  });

  it("is ordered by key, however the inputs are ordered", () => {
    const entries = ["z/z", "a/b/c", "a/b", "B/b", "ä/a"].map((key) =>
      model(key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)),
    );
    const keys = diffCatalogs([], entries).added.map(({ provider, id }) => `${provider}/${id}`);
    expect(keys).toEqual(["B/b", "a/b", "a/b/c", "z/z", "ä/a"]);
    expect(diffCatalogs([], entries.toReversed())).toEqual(diffCatalogs([], entries));
    expect(diffCatalogs(entries, []).deleted).toEqual(diffCatalogs([], entries).added);
  });

  it("refuses a catalog that names a model twice", () => {
    expect(() => diffCatalogs([], [model("openai", "o1"), model("openai", "o1")])).toThrow(
      /every model once, got two with the key `"openai\/o1"`/,
    );
  });

  it.each([
    [{ provider: "", id: "a" }, /provider/],
    [{ provider: "a/b", id: "a" }, /without a slash/],
    [{ provider: "a", id: 7 }, /`id` of a model of `"a"` \(string\) to be text, got `7`/],
  ])("refuses %j as a model", (entry, message) => {
    expect(() => diffCatalogs([], [entry as unknown as Model])).toThrow(message);
  });

  it("takes any object with an id", () => {
    const shops = entryKind("shop");
    const diff = diffCatalogs(
      [{ id: "north", open: true }],
      [
        { id: "north", open: false },
        { id: "south", open: true },
      ],
      shops,
    );
    expect(diff.added.map(({ id }) => id)).toEqual(["south"]);
    expect(diff.updated[0]?.changes).toEqual([{ path: "/open", from: true, to: false }]);
  });

  it("leads back when the inputs are swapped", () => {
    const random = seeded(20_260_822);
    for (let round = 0; round < 200; round += 1) {
      const [before, after] = [randomCatalog(random), randomCatalog(random)];
      const forth = diffCatalogs(before, after);
      const back = diffCatalogs(after, before);
      expect(back.added).toEqual(forth.deleted);
      expect(back.deleted).toEqual(forth.added);
      expect(back.updated.map(({ entry, previous }) => [previous, entry])).toEqual(
        forth.updated.map(({ entry, previous }) => [entry, previous]),
      );
      expect(forth.added.length + forth.updated.length + forth.unchanged).toBe(after.length);
      expect(forth.deleted.length + forth.updated.length + forth.unchanged).toBe(before.length);
    }
  });
});

function randomCatalog(random: () => number): Model[] {
  const ids = Array.from({ length: 30 }, (_, id) => id).filter(() => random() < 0.5);
  return ids.map((id) =>
    model(`p${id % 3}`, `m${id}`, { price: Math.floor(random() * 3), limits: { output: Math.floor(random() * 2) } }),
  );
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
