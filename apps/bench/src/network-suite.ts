import { Fleet } from "./fleet.ts";
import { interleave, type Measures } from "./interleave.ts";
import type { Row, SuiteOptions } from "./suite.ts";
import { rowsOf } from "./table.ts";

export interface NetworkContender {
  readonly script: string;
  readonly args?: readonly string[];
  readonly request: string;
  readonly hello?: string;
}

/** How events come: one per turn of the event loop, gathered, or all at once. */
export const situations = [
  { name: "single", title: "1 event per turn", turns: 150, perTurn: 1 },
  { name: "turn16", title: "16 events per turn", turns: 30, perTurn: 16 },
  { name: "burst1000", title: "burst of 1,000", turns: 1, perTurn: 1_000 },
] as const;

export interface NetworkOutcome {
  readonly rows: readonly Row[];
  /** Server CPU per delivery, by situation. */
  readonly costs: ReadonlyMap<string, Measures>;
  readonly idleBytes: Measures;
  readonly rounds: number;
}

/** All contenders connected at once, measured in turn: server CPU per delivery, and memory per idle connection. */
export async function measureNetwork(
  contenders: Readonly<Record<string, NetworkContender>>,
  { isQuick, say }: SuiteOptions,
): Promise<NetworkOutcome> {
  const clients = isQuick ? 200 : 1_000;
  const rounds = isQuick ? 5 : 9;
  const fleets = new Map<string, Fleet>();
  const rows: Row[] = [];
  const costs = new Map<string, Measures>();
  try {
    for (const [name, contender] of Object.entries(contenders)) {
      say(`connecting ${clients} clients to ${name}`);
      fleets.set(name, await Fleet.start(contender, clients));
    }
    const idleBytes: Measures = new Map([...fleets].map(([name, fleet]) => [name, [fleet.idleBytes]]));
    rows.push(...rowsOf("idle connection", idleBytes, "bytes"));
    for (const { name, title, turns, perTurn } of situations) {
      say(title);
      const measures = await interleave(
        Object.fromEntries([...fleets].map(([contender, fleet]) => [contender, () => fleet.measure(turns, perTurn)])),
        rounds,
      );
      costs.set(name, measures);
      rows.push(...rowsOf(`${title}, ${clients} clients`, measures, "ns CPU/delivery"));
    }
    return { rows, costs, idleBytes, rounds };
  } finally {
    await Promise.all([...fleets.values()].map((fleet) => fleet.stop()));
  }
}
