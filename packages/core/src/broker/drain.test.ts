import { describe, expect, it } from "vitest";
import { fakeTime, turns } from "../../test/fake-time.ts";
import type { Moment } from "../observe/observer.ts";
import { MemoryStore } from "../store/memory-store.ts";
import type { DrainPlan, Part } from "./any-broker.ts";
import { Broker } from "./broker.ts";
import { overtimeMs, spreadPerClientMs } from "./drain.ts";

describe("a drain", () => {
  it("spreads with the number of clients, up to spreadMs", async () => {
    for (const [clients, spreadMs] of [
      [0, 0],
      [3, 3 * spreadPerClientMs],
      [100_000, 1_000],
    ] as const) {
      const { broker } = house();
      let plan: DrainPlan | undefined;
      broker.register(part({ size: clients, drain: (given) => ((plan = given), Promise.resolve([])) }));
      await broker.close();
      expect(plan?.spreadMs).toBe(spreadMs);
    }
  });

  it("goes on without a part that never ends, shortly after the deadline, and names it", async () => {
    const { broker, time, undone } = house();
    broker.register(part({ name: "stuck", drain: () => new Promise(() => undefined) }));
    broker.register(part({ name: "fine", drain: () => Promise.resolve(["2 clients"]) }));
    const closing = broker.close();
    await turns(3);
    await time.advance(1_000 + overtimeMs);
    await closing;
    expect(undone()).toEqual(["2 clients", "stuck: did not end"]);
    expect(time.timers).toBe(0);
  });

  it("ends where the clock is set back meanwhile, at most one deadline later, which parts are told as it is now", async () => {
    const time = fakeTime();
    let setByMs = 0;
    const { scheduler, random } = time;
    const clock = { now: () => time.clock.now() + setByMs };
    const { broker, undone } = house({ surroundings: { clock, scheduler, random } });
    const deadlines: number[] = [];
    const after = (ms: number): Promise<readonly string[]> =>
      new Promise((resolve) => void scheduler.after(ms, () => resolve([])));
    broker.register(part({ name: "clients", drain: () => after(400) }));
    broker.register(
      part({ name: "publisher", stage: "publishers", drain: ({ deadline }) => (deadlines.push(deadline), after(100)) }),
    );
    broker.subscribe(() => new Promise(() => undefined));
    await broker.publish("a.b", 1);
    const closing = broker.close();
    await turns(3);
    setByMs = -3_600_000;
    await time.advance(400);
    const now = clock.now();
    await time.advance(1_000 + overtimeMs);
    await closing;
    expect(deadlines.map((deadline) => deadline - now)).toEqual([1_000]);
    expect(undone()).toHaveLength(1);
    expect(time.timers).toBe(0);
  });

  it("lets a part that ends itself at the deadline say what it left undone", async () => {
    const { broker, time, undone } = house();
    broker.register(
      part({
        drain: ({ deadline }) =>
          new Promise((resolve) => {
            time.scheduler.after(deadline - time.clock.now() + 5, () => resolve(["one client, cut off"]));
          }),
      }),
    );
    const closing = broker.close();
    await turns(3);
    await time.advance(1_000 + overtimeMs);
    await closing;
    expect(undone()).toEqual(["one client, cut off"]);
  });

  it("is not stopped by a part that throws where it must not", async () => {
    const { broker, undone } = house();
    const explode = (): never => {
      throw new Error("bad part");
    };
    broker.register(part({ name: "one", stop: explode }));
    broker.register(part({ name: "two", drain: explode }));
    let closed = 0;
    broker.subscribe({ send: () => undefined, close: () => void (closed += 1) });
    await turns(2);
    await broker.close();
    expect([undone(), closed]).toEqual([["one: bad part", "two: bad part"], 1]);
  });

  it("does not wait for a store that never closes, and says so", async () => {
    const memory = new MemoryStore();
    const { log, checkpoints, deliveries, records } = memory;
    const store = { log, checkpoints, deliveries, records, close: () => new Promise<void>(() => undefined) };
    const { broker, time, undone } = house({ store });
    const closing = broker.close();
    await turns(3);
    await time.advance(1_000 + overtimeMs);
    await closing;
    expect(undone()).toEqual(["the store did not close"]);
  });

  it("happens once, also when an observer or a part closes the broker again", async () => {
    const { broker, moments } = house({}, (moment) => {
      if (moment.kind === "drainStarted") void broker.close();
    });
    broker.register(part({ stop: () => void broker.close() }));
    await broker.close();
    expect(moments.filter((kind) => kind === "drainStarted")).toHaveLength(1);
  });

  it("closes a subscriber once that closes its subscription from inside close", async () => {
    const { broker } = house();
    let closes = 0;
    const subscription = broker.attach({
      deliver: ({ events }) => events.length,
      gap: () => undefined,
      close: () => {
        closes += 1;
        void subscription.close();
        void broker.close();
      },
    });
    await turns(2);
    await broker.close();
    expect(closes).toBe(1);
  });
});

describe("run", () => {
  it("lets go of its signal when the broker is closed otherwise", async () => {
    const { broker, time } = house();
    const { signal } = new AbortController();
    const listening = new Set<unknown>();
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: EventListener) => {
      listening.add(listener);
      add(type, listener);
    };
    signal.removeEventListener = (_type: string, listener: EventListener) => void listening.delete(listener);
    const running = broker.run({ signal });
    await turns(1);
    expect([listening.size, time.timers]).toEqual([1, 1]);
    await broker.close();
    await running;
    expect([listening.size, time.timers]).toEqual([0, 0]);
  });
});

function house(
  options: ConstructorParameters<typeof Broker>[0] = {},
  onMoment: (moment: Moment) => void = () => undefined,
) {
  const time = fakeTime();
  const moments: Moment["kind"][] = [];
  let undone: readonly string[] = [];
  const broker: Broker = new Broker({
    surroundings: time,
    drain: { spreadMs: 1_000, deadlineMs: 1_000 },
    ...options,
    observe: [
      (moment) => {
        moments.push(moment.kind);
        if (moment.kind === "drainCompleted") ({ undone } = moment);
        onMoment(moment);
      },
    ],
  });
  return { broker, time, moments, undone: () => undone };
}

function part(calls: Partial<Part>): Part {
  return { name: "part", stage: "clients", size: 0, stop: () => undefined, drain: () => Promise.resolve([]), ...calls };
}
