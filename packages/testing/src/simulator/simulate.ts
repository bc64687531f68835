import { nowhere } from "./expected-start.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { sieves } from "./truth.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** What happens before everybody calms down. @default 60 */
  readonly steps?: number | undefined;
  /** A bug put in on purpose, to see that it is found. */
  readonly bug?: PlantedBug | undefined;
}

export interface Verdict {
  readonly seed: number;
  /** What went wrong, the first first; empty when every promise was kept. */
  readonly problems: readonly string[];
  /** Everything that happened, to read beside a problem. */
  readonly journal: readonly string[];
  readonly counts: {
    readonly published: number;
    readonly refused: number;
    readonly lives: number;
    readonly restarts: number;
  };
}

/** One random world from a seed, lived to its end and judged. The same seed gives the same world for ever. */
export async function simulate({ seed, steps = 60, bug }: SimulationOptions): Promise<Verdict> {
  const world = new World(seed, bug);
  try {
    for (let step = 0; step < steps && world.problems.length === 0; step += 1) await act(world);
    await world.calmDown();
    await world.close();
  } catch (error) {
    world.report(`the world broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { seed, problems: world.problems, journal: world.journal, counts: world.counts };
}

async function act(world: World): Promise<void> {
  const { random, surroundings } = world;
  const actor = world.actors.length > 0 ? random.pick(world.actors) : undefined;
  const acts: readonly (readonly [weight: number, name: string, run: () => void | Promise<void>])[] = [
    [8, "publish", () => world.publish()],
    [3, "publish a few", () => times(random.integer(2, 6), () => world.publish())],
    [1, "publish a burst", () => times(random.integer(10, 60), () => world.publish())],
    [2, "publish all", () => world.publishAll()],
    [5, "subscribe", () => world.subscribe()],
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
          epoch: world.truth.epoch,
          offset: random.integer(world.truth.trimmedThrough, world.truth.head),
        }),
    ],
    [0.5, "filter from nowhere", () => actor?.refilter(random.pick(sieves), nowhere(world.truth, random))],
    [8, "turn", () => surroundings.runTurn()],
    [3, "idle", () => surroundings.runUntilIdle()],
    [4, "time", () => surroundings.advance(random.integer(1, 300))],
    [0.3, "much time", () => surroundings.advance(random.integer(1_000, 10_000))],
    [0.3, "oversleep", () => world.oversleep()],
    [0.7, "restart", () => world.restart()],
  ];
  let at = random.next() * acts.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, name, run] of acts) {
    at -= weight;
    if (at > 0) continue;
    world.note(name);
    return run();
  }
}

function times(count: number, run: () => void): void {
  for (let done = 0; done < count; done += 1) run();
}
