import { describe, expect, it } from "vitest";
import { Exchanges } from "./exchanges.ts";
import { PacketIds } from "./packet-ids.ts";

function arrange() {
  const told: unknown[] = [];
  const ids = new PacketIds();
  const exchanges = new Exchanges(ids, (id) => void told.push(`release ${id}`));
  const begin = (qos: 1 | 2): number =>
    exchanges.begin(qos, (error) => void told.push(error === null ? "done" : error.code)) ?? NaN;
  return { exchanges, ids, told, begin };
}

describe("a publication that waits for its answer", () => {
  it("is done with PUBACK, when its QoS is 1", () => {
    const { exchanges, told, begin } = arrange();
    const id = begin(1);
    expect(exchanges.hear("puback", id, 0)).toBe(true);
    expect(exchanges.hear("puback", id, 0)).toBe(true);
    expect(told).toEqual(["done"]);
  });

  it("is done with PUBREC, PUBREL and PUBCOMP, when its QoS is 2", () => {
    const { exchanges, told, begin } = arrange();
    const id = begin(2);
    exchanges.hear("pubrec", id, 0x10);
    expect(told).toEqual([`release ${id}`]);
    exchanges.hear("pubcomp", id, 0);
    expect(told).toEqual([`release ${id}`, "done"]);
  });

  it("is released again when its PUBREC comes again, and done once", () => {
    const { exchanges, told, begin } = arrange();
    const id = begin(2);
    for (const kind of ["pubrec", "pubrec", "pubcomp", "pubcomp"]) expect(exchanges.hear(kind, id, 0)).toBe(true);
    expect(told).toEqual([`release ${id}`, `release ${id}`, "done"]);
  });

  it("is a breach of the protocol when PUBACK comes after its PUBREC", () => {
    const { exchanges, told, begin } = arrange();
    const id = begin(2);
    exchanges.hear("pubrec", id, 0);
    expect(exchanges.hear("puback", id, 0)).toBe(false);
    expect(told).toEqual([`release ${id}`]);
  });

  it.each([
    [1, "puback"],
    [2, "pubrec"],
  ] as const)("is refused with QoS %i by the reason code of %s", (qos, cmd) => {
    const { exchanges, told, begin } = arrange();
    exchanges.hear(cmd, begin(qos), 0x87);
    expect(told).toEqual(["not_authorized"]);
  });

  it.each([
    [1, "pubrec"],
    [1, "pubcomp"],
    [2, "puback"],
    [2, "pubcomp"],
    [1, "suback"],
    [2, "unsuback"],
  ] as const)("of QoS %i is not answered by %s", (qos, cmd) => {
    const { exchanges, told, begin } = arrange();
    expect(exchanges.hear(cmd, begin(qos), 0)).toBe(false);
    expect(told).toEqual([]);
  });

  it("has nothing to do with what the MQTT broker sends under the same number", () => {
    const { exchanges, begin } = arrange();
    const id = begin(1);
    expect(exchanges.hear("publish", id, 0)).toBe(true);
    expect(exchanges.hear("pubrel", id, 0)).toBe(true);
  });
});

describe("packet identifiers", () => {
  it("are in use once, over and over, with those of a subscription left alone", () => {
    const { exchanges, ids, begin } = arrange();
    const subscription = ids.allocate();
    const seen = new Set<number>();
    for (let n = 0; n < 70_000; n += 1) {
      const id = begin(1);
      seen.add(id);
      exchanges.hear("puback", id, 0);
    }
    expect(seen.size).toBe(65_534);
    expect(seen.has(0) || seen.has(subscription ?? NaN)).toBe(false);
  });

  it("run out when all wait, and come back", () => {
    const ids = new PacketIds();
    for (let n = 0; n < 65_535; n += 1) ids.allocate();
    expect(ids.allocate()).toBeNull();
    ids.deallocate(4_711);
    expect(ids.register(4_712)).toBe(false);
    expect(ids.allocate()).toBe(4_711);
    expect(ids.getLastAllocated()).toBe(4_711);
  });
});
