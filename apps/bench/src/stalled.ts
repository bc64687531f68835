import { setTimeout as pause } from "node:timers/promises";
import { Fleet } from "./fleet.ts";
import type { Measures } from "./interleave.ts";
import type { NetworkContender } from "./network-suite.ts";
import type { Row, SuiteOptions } from "./suite.ts";
import { rowsOf } from "./table.ts";

/**
 * 99 of 100 deliveries of clients that read, in milliseconds at 150 events per second: alone, and beside others that never read.
 * A process of its own per round, since who has not read stays.
 */
export async function measureBesideStalled(
  contender: NetworkContender,
  { clients, stalled, rounds }: { readonly clients: number; readonly stalled: number; readonly rounds: number },
  { say }: SuiteOptions,
): Promise<{ readonly rows: readonly Row[]; readonly p99: Measures }> {
  const alone: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`${clients} clients beside ${stalled} that never read, round ${round + 1} of ${rounds}`);
    const fleet = await Fleet.start(contender, clients);
    const p99 = async (): Promise<number> => {
      // The kernel's gigabytes for those that never read, of this round or the last, are given and taken in the background.
      await pause(settleMs);
      return (await fleet.pace(150, paceSeconds)).p99;
    };
    // Twice what a kernel hides of a client that does not read, for whoever begins in the first half.
    await fleet.measure(60, 100, 2_000);
    await p99();
    alone.push(await p99());
    const full = await fleet.stall(stalled);
    if (full < stalled) say(`only ${full} of ${stalled} had stalled in time`);
    beside.push(await p99());
    await fleet.stop();
  }
  const p99 = new Map([
    ["alone", alone],
    ["beside", beside],
  ]);
  return { rows: rowsOf(`p99 at 150 events/s, ${clients} clients and ${stalled} that never read`, p99, "ms"), p99 };
}

const paceSeconds = 2;
const settleMs = 1_500;
