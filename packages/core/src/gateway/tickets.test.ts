import { describe, expect, it } from "vitest";
import { Tickets, type TicketOptions } from "./tickets.ts";

const ann = { identity: "ann", types: ["model.*"] };

function openTickets(options: TicketOptions = {}): { tickets: Tickets; time: { now: number } } {
  const time = { now: 1_700_000_000_000 };
  return { tickets: new Tickets({ clock: { now: () => time.now }, ...options }), time };
}

describe("a ticket", () => {
  it("is its grant once", () => {
    const { tickets } = openTickets();
    const ticket = tickets.issue(ann);
    expect(ticket).toMatch(/^[0-9a-z]{32}$/);
    expect(tickets.redeem(ticket)).toMatchObject(ann);
    expect(tickets.redeem(ticket)).toBeNull();
  });

  it("is nothing after its time", () => {
    const { tickets, time } = openTickets({ ttlMs: 5_000 });
    const [early, late] = [tickets.issue(ann), tickets.issue(ann)];
    time.now += 4_999;
    expect(tickets.redeem(early)).toMatchObject(ann);
    time.now += 1;
    expect(tickets.redeem(late)).toBeNull();
  });

  it.each([null, undefined, "", "0".repeat(32), "__proto__"])("is not made up: %s", (text) => {
    const { tickets } = openTickets();
    tickets.issue(ann);
    expect(tickets.redeem(text)).toBeNull();
  });

  it("is another one each time", () => {
    const { tickets } = openTickets();
    expect(new Set(Array.from({ length: 1_000 }, () => tickets.issue(ann))).size).toBe(1_000);
  });

  it("is refused when too many are out, until their time is over", () => {
    const { tickets, time } = openTickets({ maxOutstanding: 3, ttlMs: 1_000 });
    for (let n = 0; n < 3; n += 1) tickets.issue(ann);
    expect(() => tickets.issue(ann)).toThrow(expect.objectContaining({ code: "overloaded" }));
    time.now += 1_000;
    expect(tickets.redeem(tickets.issue(ann))).toMatchObject(ann);
  });

  it("is nothing after its time where the clock was set back, and holds no place any more", () => {
    const { tickets, time } = openTickets({ maxOutstanding: 1, ttlMs: 5_000 });
    const early = tickets.issue(ann);
    time.now -= 3_600_000;
    expect(() => tickets.issue(ann)).toThrow(expect.objectContaining({ code: "overloaded" }));
    time.now += 5_000;
    expect(tickets.redeem(early)).toBeNull();
    tickets.issue(ann);
    time.now += 5_000;
    expect(tickets.redeem(tickets.issue(ann))).toMatchObject(ann);
  });

  it("is void once its identity is revoked, and nobody else's is", () => {
    const { tickets } = openTickets();
    const [hers, his] = [tickets.issue(ann), tickets.issue({ identity: "bob" })];
    tickets.revoke("ann");
    expect(tickets.redeem(hers)).toBeNull();
    expect(tickets.redeem(his)).toMatchObject({ identity: "bob" });
  });

  it("is not issued for what is no grant", () => {
    const { tickets } = openTickets();
    expect(() => tickets.issue({ identity: "ann", types: ["nodots"] })).toThrow();
    expect(() => new Tickets({ ttl: 1 } as never)).toThrow(/ttlMs/);
  });
});
