import type { EngineMaker } from "./engine.ts";
import { nowhere } from "./expected-start.ts";
import type { PlantedBug } from "./planted-bug.ts";
import type { Counts } from "./scene.ts";
import { sieves } from "./sieve.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** What happens before everybody calms down. @default 60 */
  readonly steps?: number | undefined;
  /** What the world stands on. @default one of those that come with the simulator, by the seed */
  readonly engine?: EngineMaker | undefined;
  /** A bug put in on purpose, to see that it is found. */
  readonly bug?: PlantedBug | undefined;
}

export interface Verdict {
  readonly seed: number;
  /** What went wrong, the first first; empty when every promise was kept. */
  readonly problems: readonly string[];
  /** Everything that happened, to read beside a problem; the same seed gives the same. */
  readonly journal: readonly string[];
  readonly counts: Readonly<Counts>;
}

/** One random world from a seed, lived to its end and judged. The same seed gives the same world for ever. */
export async function simulate({ seed, steps = 60, engine, bug }: SimulationOptions): Promise<Verdict> {
  const world = new World({ seed, bug, engine });
  try {
    await world.boot();
    if (world.canShare && world.random.chance(0.4)) await world.boot();
    for (let step = 0; step < steps && world.problems.length === 0; step += 1) await act(world);
    await world.calmDown();
    await world.close();
  } catch (error) {
    world.report(`the world broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { seed, problems: world.problems, journal: world.journal, counts: world.counts };
}

type Act = readonly [weight: number, name: string, run: () => void | Promise<void>];

async function act(world: World): Promise<void> {
  const acts = actsOf(world);
  let at = world.random.next() * acts.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, name, run] of acts) {
    at -= weight;
    if (at > 0) continue;
    world.note(name);
    return run();
  }
}

function actsOf(world: World): readonly Act[] {
  const { random, surroundings, truth } = world;
  const host = random.pick(world.hosts);
  const actor = host.actors.length > 0 ? random.pick(host.actors) : undefined;
  return [
    [8, "publish", () => host.publish()],
    [3, "publish a few", () => times(random.integer(2, 6), () => host.publish())],
    [1, "publish a burst", () => times(random.integer(10, 60), () => host.publish())],
    [2, "publish all", () => host.publishAll()],
    [3, "subscribe", () => host.subscribe()],
    [1, "subscribe a function", () => host.subscribeFunction()],
    [
      2,
      "subscribe a name",
      () => host.subscribeNamed(world.life(random.pick(["first", "second", "window", "courier"]))),
    ],
    [1, "unsubscribe", () => actor?.end()],
    [3, "wake", () => actor?.wake()],
    [1, "rewind", () => actor?.rewind()],
    [1, "acknowledge", () => actor?.acknowledge()],
    [1, "pester", () => actor?.pester()],
    [1, "filter", () => actor?.refilter(random.pick(sieves))],
    [
      1,
      "filter from the past",
      () =>
        actor?.refilter(random.pick(sieves), {
          epoch: truth.epoch,
          offset: random.integer(truth.trimmedThrough, truth.head),
        }),
    ],
    [0.5, "filter from nowhere", () => actor?.refilter(random.pick(sieves), nowhere(truth, random))],
    [1, "lose connections", () => host.windows.forEach((window) => window.loseConnection())],
    [8, "turn", () => surroundings.runTurn()],
    [3, "idle", () => surroundings.runUntilIdle()],
    [4, "time", () => surroundings.advance(random.integer(1, 300))],
    [0.3, "much time", () => surroundings.advance(random.integer(1_000, 10_000))],
    [0.3, "oversleep", () => world.oversleep(host)],
    [0.7, "restart", () => world.restart(host, random.pick(["peace", "kill", "power cut"]))],
  ];
}

function times(count: number, run: () => void): void {
  for (let done = 0; done < count; done += 1) run();
}
