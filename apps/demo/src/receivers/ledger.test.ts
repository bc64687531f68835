import { describe, expect, it } from "vitest";
import { Ledger } from "./ledger.ts";

const booked = (...offsets: readonly number[]): Ledger => {
  const ledger = new Ledger(10);
  for (const offset of offsets) ledger.book(offset);
  return ledger;
};

describe("the books of a receiver", () => {
  it("close behind events that came in order", () => {
    expect(booked(11, 12, 13).tally).toEqual({
      received: 3,
      duplicates: 0,
      disordered: 0,
      told: 0,
      through: 13,
      missing: 0,
    });
  });

  it("show what is missing while it is", () => {
    expect(booked(11, 14).tally).toMatchObject({ received: 2, through: 11, missing: 2, disordered: 0 });
    expect(booked(11, 14, 12, 13).tally).toMatchObject({ received: 4, through: 14, missing: 0, disordered: 2 });
  });

  it("count an event that comes again, however late, and not as received", () => {
    expect(booked(11, 12, 11, 14, 14, 9).tally).toMatchObject({ received: 3, duplicates: 3 });
  });

  it("close over a gap that was told, which may overlap what came", () => {
    const ledger = booked(11, 13);
    ledger.bookGap(15);
    expect(ledger.tally).toMatchObject({ received: 2, told: 3, through: 15, missing: 0 });
    expect(ledger.book(16)).toBe(true);
    expect(ledger.book(14)).toBe(false);
  });
});
