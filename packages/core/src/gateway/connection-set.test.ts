import { describe, expect, it } from "vitest";
import { fakeTime as passingTime } from "../../test/fake-time.ts";
import { realSurroundings, type Surroundings, type Timer } from "../clock.ts";
import type { Position } from "../log/position.ts";
import { Admission, Seat } from "./admission.ts";
import { ConnectionSet, type Leaving } from "./connection-set.ts";

interface Behaviour {
  /** What is said of it after each look; the last goes on. */
  readonly reaching?: readonly boolean[];
  readonly ignoresLeaving?: boolean;
}

class Client implements Leaving {
  readonly dueAt = Infinity;
  readonly clientId = "c";
  readonly position: Position = { epoch: "k", offset: 1 };
  readonly unsentBytes = 0;
  readonly seat: Seat = new Seat(new Admission(), null);
  readonly told: string[] = [];
  readonly #set: ConnectionSet<Client>;
  readonly #behaviour: Behaviour;
  #looks = 0;

  constructor(set: ConnectionSet<Client>, behaviour: Behaviour = {}) {
    this.#set = set;
    this.#behaviour = behaviour;
    set.add(this);
  }

  beat(): void {}

  tellState(): void {
    this.told.push(String(this.#set.state));
  }

  isReaching(_position: Position): boolean {
    const { reaching = [false] } = this.#behaviour;
    this.#looks += 1;
    return reaching[Math.min(this.#looks, reaching.length) - 1] ?? false;
  }

  leaveForRestart(): void {
    this.told.push("leave");
    if (this.#behaviour.ignoresLeaving !== true) this.#set.delete(this);
  }

  destroyForRestart(): void {
    this.told.push("destroy");
    this.#set.delete(this);
  }
}

/** Timers that run when the test says. */
function fakeTime(): { readonly surroundings: Surroundings; look(): void } {
  let due: (() => void)[] = [];
  const after = (_: number, run: () => void): Timer => {
    due.push(run);
    return { cancel: () => void (due = due.filter((each) => each !== run)) };
  };
  const scheduler = { ...realSurroundings.scheduler, after };
  return {
    surroundings: { ...realSurroundings, scheduler },
    look: () => {
      for (const run of due.splice(0)) run();
    },
  };
}

describe("a set of connections", () => {
  it("finds those of one identity, and of nobody else", () => {
    const set = new ConnectionSet<Client>(realSurroundings, 1_000, {});
    const [ann, , bob, alsoAnn] = Array.from({ length: 4 }, () => new Client(set));
    for (const client of [ann, alsoAnn]) if (client !== undefined) client.seat.identity = "ann";
    if (bob !== undefined) bob.seat.identity = "bob";
    expect(set.of("ann")).toEqual([ann, alsoAnn]);
    expect(set.of("eve")).toEqual([]);
  });

  it("tells everybody once that the log went away, and once that it is back", () => {
    const time = fakeTime();
    const log = { isReachable: true };
    const set = new ConnectionSet<Client>(time.surroundings, 1_000, log);
    const [one, other] = [new Client(set), new Client(set)];
    time.look();
    log.isReachable = false;
    time.look();
    time.look();
    log.isReachable = true;
    time.look();
    for (const { told } of [one, other]) expect(told).toEqual(["store_unreachable", "undefined"]);
  });

  it("knows how the log is for the first that comes", () => {
    const log = { isReachable: false };
    const set = new ConnectionSet<Client>(realSurroundings, 1_000, log);
    const first = new Client(set);
    expect([set.state, first.told]).toEqual(["store_unreachable", []]);
    set.delete(first);
  });
});

const head: Position = { epoch: "e", offset: 9 };

function drainWithin(set: ConnectionSet<Client>, ms: number, spreadMs = 0): Promise<number> {
  return set.drain({ spreadMs, deadline: realSurroundings.clock.now() + ms }, head);
}

describe("a drain of connections", () => {
  it("tells each once and ends as soon as all are gone", async () => {
    const set = new ConnectionSet<Client>(realSurroundings, 1_000, {});
    const clients = Array.from({ length: 50 }, () => new Client(set));
    expect(await drainWithin(set, 10_000, 60)).toBe(0);
    expect(clients.map(({ told }) => told)).toEqual(clients.map(() => ["leave"]));
  });

  it("waits for a client that is still getting what it lacks, and not the others for it", async () => {
    const set = new ConnectionSet<Client>(realSurroundings, 1_000, {});
    const lagging = new Client(set, { reaching: [true, true, false] });
    const others = [new Client(set), new Client(set)];
    const draining = drainWithin(set, 10_000);
    expect(others.map(({ told }) => told)).toEqual([["leave"], ["leave"]]);
    expect(lagging.told).toEqual([]);
    expect(await draining).toBe(0);
    expect(lagging.told).toEqual(["leave"]);
  });

  it("tells a client that never gets there after half of the time", async () => {
    const time = passingTime();
    const set = new ConnectionSet<Client>(time, 1_000, {});
    const lagging = new Client(set, { reaching: [true] });
    const draining = set.drain({ spreadMs: 0, deadline: time.clock.now() + 800 }, head);
    await time.advance(399);
    expect(lagging.told).toEqual([]);
    await time.advance(101);
    expect(lagging.told).toEqual(["leave"]);
    expect(await draining).toBe(0);
  });

  it("ends who does not go, and counts them", async () => {
    const set = new ConnectionSet<Client>(realSurroundings, 1_000, {});
    const stubborn = new Client(set, { ignoresLeaving: true });
    expect(await drainWithin(set, 60)).toBe(1);
    expect(stubborn.told).toEqual(["leave", "destroy"]);
  });

  it("has nothing to do without connections", async () => {
    expect(await drainWithin(new ConnectionSet<Client>(realSurroundings, 1_000, {}), 10_000)).toBe(0);
  });
});
