import type { SeededRandom } from "../seeded-random.ts";

/** How a simulated subscriber behaves. Probabilities are per call. */
export interface Temper {
  readonly name: string;
  /** Takes fewer than offered. */
  readonly refusing: number;
  /** When it is ready again after it refused: at once, in the next turn, later, or only when the world wakes it. */
  readonly readies: "at once" | "next turn" | "later" | "when woken";
  /** Acknowledges what it took: not at all, at once, or later and in part. */
  readonly acknowledges: "never" | "at once" | "later";
  readonly rewinding: number;
  readonly throwing: number;
  /** Publishes from inside a call. */
  readonly publishing: number;
  /** Ends its own subscription from inside a call. */
  readonly quitting: number;
  /** Calls lines that are dead, and live ones without a reason. */
  readonly pestering: number;
  /** Changes its filter. */
  readonly refiltering: number;
}

const calm: Temper = {
  name: "takes all",
  refusing: 0,
  readies: "at once",
  acknowledges: "never",
  rewinding: 0,
  throwing: 0,
  publishing: 0,
  quitting: 0,
  pestering: 0,
  refiltering: 0,
};

export const tempers: readonly Temper[] = [
  calm,
  { ...calm, name: "takes all and acknowledges", acknowledges: "at once" },
  { ...calm, name: "takes some", refusing: 0.5, readies: "next turn" },
  { ...calm, name: "takes some, ready before it says so", refusing: 0.6, readies: "at once", acknowledges: "at once" },
  { ...calm, name: "slow", refusing: 0.7, readies: "later", acknowledges: "later" },
  { ...calm, name: "stalls", refusing: 0.8, readies: "when woken", acknowledges: "later" },
  { ...calm, name: "rewinds", refusing: 0.2, readies: "next turn", acknowledges: "later", rewinding: 0.2 },
  { ...calm, name: "throws", throwing: 0.1, refusing: 0.2, readies: "next turn" },
  { ...calm, name: "re-enters publish", publishing: 0.3 },
  { ...calm, name: "quits", quitting: 0.1 },
  { ...calm, name: "pesters", pestering: 0.5, refusing: 0.3, readies: "later", rewinding: 0.1, acknowledges: "later" },
  { ...calm, name: "changes its mind", refiltering: 0.2, refusing: 0.3, readies: "next turn" },
];

/** Names of durable subscriptions keep to what can be judged over several processes. */
export const namedTempers: readonly Temper[] = tempers.filter(({ acknowledges }) => acknowledges !== "never");

export function isHealthy({ refusing, rewinding, refiltering }: Temper): boolean {
  return refusing === 0 && rewinding === 0 && refiltering === 0;
}

/** How many of so many events it takes. */
export function takenOf(count: number, temper: Temper, random: SeededRandom): number {
  return random.chance(temper.refusing) ? random.integer(0, count) : count;
}
