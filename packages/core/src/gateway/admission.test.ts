import { describe, expect, it } from "vitest";
import { Admission, Seat, type ConnectionLimits } from "./admission.ts";

const limits: ConnectionLimits = { maxConnections: 5, maxPerAddress: 2, maxPerIdentity: 2, maxNewPerSecond: Infinity };

function enter(admission: Admission, address: string | null, more: Partial<ConnectionLimits> = {}, now = 0): Seat {
  const seat = admission.enter(address, { ...limits, ...more }, now);
  if (!(seat instanceof Seat)) throw new Error(`Expected a seat, got ${seat}`);
  return seat;
}

describe("admission", () => {
  it("ends at the cap in total, and goes on when one leaves", () => {
    const admission = new Admission();
    const seats = Array.from({ length: 5 }, () => enter(admission, null));
    expect(admission.enter(null, limits, 0)).toBe("too_many_connections");
    seats[0]?.leave();
    expect(admission.enter(null, limits, 0)).toBeInstanceOf(Seat);
  });

  it("ends at the cap per address, for that address", () => {
    const admission = new Admission();
    const first = enter(admission, "a");
    enter(admission, "a");
    expect(admission.enter("a", limits, 0)).toBe("too_many_from_address");
    enter(admission, "b");
    first.leave();
    enter(admission, "a");
  });

  it("counts leaving twice once", () => {
    const admission = new Admission();
    const first = enter(admission, "a");
    enter(admission, "a");
    first.leave();
    first.leave();
    expect(admission.connections).toBe(1);
    enter(admission, "a");
    expect(admission.enter("a", limits, 0)).toBe("too_many_from_address");
  });

  it("ends at the cap per identity, and moves a seat between identities", () => {
    const admission = new Admission();
    const [one, two, three] = [enter(admission, null), enter(admission, null), enter(admission, null)];
    expect(admission.identify(one, "ann", 2)).toBe(true);
    expect(admission.identify(two, "ann", 2)).toBe(true);
    expect(admission.identify(three, "ann", 2)).toBe(false);
    expect(admission.identify(two, "bob", 2)).toBe(true);
    expect(admission.identify(three, "ann", 2)).toBe(true);
    three.leave();
    one.leave();
    expect(admission.identify(enter(admission, null), "ann", 1)).toBe(true);
  });

  it("lets in a second's worth at once, then as time earns them", () => {
    const admission = new Admission();
    const perSecond = { maxNewPerSecond: 2, maxConnections: Infinity };
    enter(admission, null, perSecond, 1_000);
    enter(admission, null, perSecond, 1_000);
    expect(admission.enter(null, { ...limits, ...perSecond }, 1_400)).toBe("too_many_new");
    enter(admission, null, perSecond, 1_500);
    expect(admission.enter(null, { ...limits, ...perSecond }, 1_900)).toBe("too_many_new");
    enter(admission, null, perSecond, 60_000);
    enter(admission, null, perSecond, 60_000);
    expect(admission.enter(null, { ...limits, ...perSecond }, 60_000)).toBe("too_many_new");
  });
});
