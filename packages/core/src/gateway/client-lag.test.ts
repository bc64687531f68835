import { describe, expect, it } from "vitest";
import { slowestOf, type Placed } from "./client-lag.ts";

const at = (clientId: string, offset: number | null, unsentBytes = 0): Placed => ({
  clientId,
  position: offset === null ? null : { epoch: "k", offset },
  unsentBytes,
});
const head = { epoch: "k", offset: 100 };

describe("the slowest of some connections", () => {
  it("are those furthest behind, then those with most unsent bytes, and nobody who keeps up", () => {
    const connections = [at("a", 99), at("b", 100), at("c", 40, 5), at("d", 100, 7), at("e", null, 9), at("f", 40, 6)];
    expect(slowestOf(connections, head, 10)).toEqual([
      { clientId: "f", position: "k-40", lagEvents: 60, unsentBytes: 6 },
      { clientId: "c", position: "k-40", lagEvents: 60, unsentBytes: 5 },
      { clientId: "a", position: "k-99", lagEvents: 1, unsentBytes: 0 },
      { clientId: "d", position: "k-100", lagEvents: 0, unsentBytes: 7 },
    ]);
  });

  it("are no more than asked for", () => {
    const connections = Array.from({ length: 50 }, (_, offset) => at(String(offset), offset));
    expect(slowestOf(connections, head, 3).map(({ clientId }) => clientId)).toEqual(["0", "1", "2"]);
  });

  it("are ahead of nobody's head", () => {
    expect(slowestOf([at("a", 101)], head, 1)).toEqual([]);
  });
});
