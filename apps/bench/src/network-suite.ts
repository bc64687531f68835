import { Fleet, type Memory } from "./fleet.ts";
import { type Measures, interleave, ratio } from "./interleave.ts";
import type { Row, SuiteOptions } from "./suite.ts";
import { rowsOf } from "./table.ts";

export interface NetworkContender {
  readonly script: string;
  readonly args?: readonly string[];
  readonly request: string;
  readonly hello?: string;
  readonly runtime?: "bun";
  /** Its bytes cannot be searched for events: text frames are counted. */
  readonly isCompressed?: boolean;
}

export type Contenders = Readonly<Record<string, NetworkContender>>;

/** How events come: one per turn of the event loop, gathered, or all at once. */
export interface Situation {
  readonly name: string;
  readonly title: string;
  readonly turns: number;
  readonly perTurn: number;
  readonly bytes?: number;
  readonly isVaried?: boolean;
}

export const single: Situation = { name: "single", title: "1 event per turn", turns: 150, perTurn: 1 };
export const turn16: Situation = { name: "turn16", title: "16 events per turn", turns: 30, perTurn: 16 };
export const burst1000: Situation = { name: "burst1000", title: "burst of 1,000", turns: 1, perTurn: 1_000 };
export const large: Situation = {
  name: "single2k",
  title: "1 event of 2 KB per turn",
  turns: 80,
  perTurn: 1,
  bytes: 2_000,
};

export interface Costs {
  readonly rows: readonly Row[];
  readonly costs: ReadonlyMap<string, Measures>;
  /** Bytes on the wire per delivery, by situation and contender. */
  readonly bytesOf: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Server CPU per delivery by situation, all contenders connected at once and measured in turn. */
export async function measureCosts(
  contenders: Contenders,
  {
    clients,
    rounds,
    situations,
  }: { readonly clients: number; readonly rounds: number; readonly situations: readonly Situation[] },
  { say }: SuiteOptions,
): Promise<Costs> {
  const rows: Row[] = [];
  const costs = new Map<string, Measures>();
  const bytesOf = new Map<string, ReadonlyMap<string, number>>();
  const fleets = await startFleets(contenders, clients, say);
  try {
    for (const { name, title, turns, perTurn, bytes, isVaried } of situations) {
      say(`${title}, ${clients} clients`);
      const measures = await interleave(
        Object.fromEntries(
          [...fleets].map(([each, fleet]) => [each, () => fleet.measure(turns, perTurn, bytes, isVaried)]),
        ),
        rounds,
      );
      costs.set(name, measures);
      bytesOf.set(name, new Map([...fleets].map(([each, fleet]) => [each, fleet.bytesPerDelivery])));
      rows.push(...rowsOf(`${title}, ${clients} clients`, measures, "ns CPU/delivery"));
    }
    return { rows, costs, bytesOf };
  } finally {
    await stopFleets(fleets);
  }
}

/** What one idle connection costs the server's process, of contenders by size. */
export interface IdleCosts {
  readonly clients: number;
  /** Bytes that the operating system gave. */
  readonly resident: Measures;
  /** Bytes of JavaScript's heap and its buffers: what the connection keeps alive. */
  readonly heap: Measures;
}

/**
 * Bytes per idle connection, at Node's default settings, after everything was collected: processes of their own per round,
 * in which clients come in steps.
 */
export async function measureMemory(
  contenders: Contenders,
  { sizes, rounds }: { readonly sizes: readonly number[]; readonly rounds: number },
  { say }: SuiteOptions,
): Promise<{ readonly rows: readonly Row[]; readonly costs: readonly IdleCosts[] }> {
  const found = sizes.map((clients) => ({
    clients,
    resident: new Map<string, number[]>(),
    heap: new Map<string, number[]>(),
  }));
  for (let round = 0; round < rounds; round += 1) {
    say(`idle connections, round ${round + 1} of ${rounds}`);
    // The first ones pay for code and pools that all use.
    const fleets = await startFleets(contenders, warmClients, () => undefined);
    const before = await memories(fleets);
    for (const { clients, resident, heap } of found) {
      for (const fleet of fleets.values()) await fleet.connect(clients - (fleet.clients - warmClients));
      const after = await memories(fleets);
      for (const [name, now] of after) {
        const then = before.get(name) ?? now;
        push(resident, name, (now.resident - then.resident) / clients);
        push(heap, name, (now.heap - then.heap) / clients);
      }
    }
    await stopFleets(fleets);
  }
  const rows = found.flatMap(({ clients, resident, heap }) => [
    ...rowsOf(`idle connection, ${clients} clients, resident`, resident, "bytes"),
    ...rowsOf(`idle connection, ${clients} clients, heap`, heap, "bytes"),
  ]);
  return { rows, costs: found };
}

/**
 * `PREFIX.idleBytes.vsPEER` and `PREFIX.idleHeap.vsPEER`. With few clients, what the process itself does with its memory is more
 * than its connections: what the system gave is told of 5,000 alone.
 */
export function idleRatios(
  prefix: string,
  costs: readonly IdleCosts[],
  peers: readonly (readonly [peer: string, suffix: string])[],
): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const { clients, resident, heap } of costs)
    for (const [peer, suffix] of peers) {
      if (clients >= 5_000) ratios[`${prefix}.idleBytes.${suffix}`] = ratio(resident, "starcast", peer);
      // Bun's heap is counted in another way.
      if (peer === "bun") continue;
      const size = clients === 1_000 ? "" : `.${clients}clients`;
      ratios[`${prefix}.idleHeap${size}.${suffix}`] = ratio(heap, "starcast", peer);
    }
  return ratios;
}

async function memories(fleets: ReadonlyMap<string, Fleet>): Promise<ReadonlyMap<string, Memory>> {
  const found = new Map<string, Memory>();
  for (const [name, fleet] of fleets) found.set(name, await fleet.memory());
  return found;
}

function push(measures: Map<string, number[]>, name: string, value: number): void {
  measures.set(name, [...(measures.get(name) ?? []), value]);
}

const warmClients = 250;

export interface Pace {
  readonly rows: readonly Row[];
  /** Milliseconds at 150 events per second, 99 of 100 deliveries below. */
  readonly p99: Measures;
  /** The highest rate of the ladder at which that stays below 50 ms. */
  readonly sustained: Measures;
}

/** Latency at an even pace, and the highest pace at which it stays low. */
export async function measurePace(
  contenders: Contenders,
  { clients, rounds }: { readonly clients: number; readonly rounds: number },
  { say }: SuiteOptions,
): Promise<Pace> {
  const fleets = await startFleets(contenders, clients, say);
  try {
    say(`even pace, ${clients} clients`);
    const each = (measure: (fleet: Fleet) => Promise<number>): Parameters<typeof interleave>[0] =>
      Object.fromEntries([...fleets].map(([name, fleet]) => [name, () => measure(fleet)]));
    const p99 = await interleave(
      each(async (fleet) => (await fleet.pace(150, paceSeconds)).p99),
      rounds,
    );
    const sustained = await interleave(each(sustainedRate), 1);
    const rows = [
      ...rowsOf(`p99 at 150 events/s, ${clients} clients`, p99, "ms"),
      ...rowsOf(`rate at which p99 stays below ${patienceMs} ms, ${clients} clients`, sustained, "events/s"),
    ];
    return { rows, p99, sustained };
  } finally {
    await stopFleets(fleets);
  }
}

/** Server CPU per delivery at 500 events per second. */
export async function measureFlush(
  contenders: Contenders,
  clients: number,
  { say }: SuiteOptions,
): Promise<{ readonly rows: readonly Row[]; readonly costs: Measures }> {
  const fleets = await startFleets(contenders, clients, say);
  try {
    const costs = await interleave(
      Object.fromEntries(
        [...fleets].map(([name, fleet]) => [name, async () => (await fleet.pace(500, paceSeconds)).cpuNs]),
      ),
      3,
    );
    return { rows: rowsOf(`500 events/s, ${clients} clients`, costs, "ns CPU/delivery"), costs };
  } finally {
    await stopFleets(fleets);
  }
}

const paceSeconds = 2;
const patienceMs = 50;
const ladder = [100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_000, 3_000];

async function sustainedRate(fleet: Fleet): Promise<number> {
  let sustained = 0;
  for (const rate of ladder) {
    // A pause of the machine is no limit of the contender: the better of two tries counts.
    const isLow = async (): Promise<boolean> => (await fleet.pace(rate, 1)).p99 < patienceMs;
    if (!(await isLow()) && !(await isLow())) break;
    sustained = rate;
  }
  return sustained;
}

async function startFleets(
  contenders: Contenders,
  clients: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, Fleet>> {
  const fleets = new Map<string, Fleet>();
  for (const [name, contender] of Object.entries(contenders)) {
    say(`connecting ${clients} clients to ${name}`);
    fleets.set(name, await Fleet.start(contender, clients));
  }
  return fleets;
}

async function stopFleets(fleets: ReadonlyMap<string, Fleet>): Promise<void> {
  await Promise.all([...fleets.values()].map((fleet) => fleet.stop()));
}
