import { interleave, type Measures } from "../interleave.ts";

/** A way to publish, connected. */
export interface Publishing {
  /** Resolves when so many more are acknowledged; with QoS 0, when they are handed to the socket. */
  publish(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface PublishingMeasures {
  /** Events per second. */
  readonly rates: Measures;
  /** Events per second of processor time of this process, its helper threads with it. */
  readonly cpuRates: Measures;
}

/**
 * All connect once and publish in turns over the same connection, as a service does: a contender that began anew each round
 * would be measured while its code is compiled. The rate says who is first on this machine, where the MQTT broker needs the
 * processor, too, and is often what the others wait for; processor time says what publishing costs.
 */
export async function publishInTurns(
  contenders: Readonly<Record<string, () => Promise<Publishing>>>,
  count: number,
  rounds: number,
): Promise<PublishingMeasures> {
  const open: [string, Publishing][] = [];
  for (const [name, connect] of Object.entries(contenders)) open.push([name, await connect()]);
  const cpuRates = new Map<string, number[]>(open.map(([name]) => [name, []]));
  const measured = open.map(([name, publishing]) => {
    const measure = async (): Promise<number> => {
      const cpuBefore = process.cpuUsage();
      const started = performance.now();
      await publishing.publish(count);
      const tookMs = performance.now() - started;
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuRates.get(name)?.push((count * 1_000_000) / (user + system));
      return (count * 1_000) / tookMs;
    };
    return [name, measure] as const;
  });
  const rates = await interleave(Object.fromEntries(measured), rounds);
  for (const values of cpuRates.values()) values.shift(); // the round that warms up
  for (const [, publishing] of open) await publishing.close();
  return { rates, cpuRates };
}
