import { Broker, MemoryStore, type Moment, type Surroundings } from "@starcast/core";
import { WebhookVerifier } from "@starcast/standard-webhooks";
import { afterEach } from "vitest";
import { WebhookDispatcher, type WebhookDispatcherOptions } from "../src/index.ts";
import { turns, type FakeTime } from "./fake-time.ts";
import { rawReceiver, receiver, type RawReceiver, type Received, type Receiver } from "./loopback.ts";

export type MomentOf<Kind extends Moment["kind"]> = Extract<Moment, { kind: Kind }>;

/** A broker with its dispatcher, watched. */
export interface House {
  readonly broker: Broker;
  readonly webhooks: WebhookDispatcher;
  readonly moments: readonly Moment[];
  all<Kind extends Moment["kind"]>(kind: Kind): readonly MomentOf<Kind>[];
  /** Resolves when so many moments of that kind have been. */
  seen<Kind extends Moment["kind"]>(kind: Kind, atLeast?: number): Promise<MomentOf<Kind>>;
}

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

export function house(
  options: WebhookDispatcherOptions & { store?: MemoryStore; surroundings?: Surroundings; deadlineMs?: number } = {},
): House {
  const { store, surroundings, deadlineMs = 25_000, ...rest } = options;
  const moments: Moment[] = [];
  const waiting = new Set<() => void>();
  const broker = new Broker({
    store: store ?? new MemoryStore({ surroundings }),
    surroundings,
    // A day: with a fake clock, renewing every five seconds would be most of the work.
    ...(surroundings === undefined ? {} : { leaseMs: 3_600_000 }),
    drain: { spreadMs: 0, deadlineMs },
    observe: [
      (moment) => {
        moments.push(moment);
        for (const look of waiting) look();
      },
    ],
  });
  const all = <Kind extends Moment["kind"]>(kind: Kind): MomentOf<Kind>[] =>
    moments.filter((moment): moment is MomentOf<Kind> => moment.kind === kind);
  open.push(broker);
  return {
    broker,
    webhooks: new WebhookDispatcher(broker, rest),
    moments,
    all,
    seen: (kind, atLeast = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = all(kind)[atLeast - 1];
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Waits, in turns of the event loop, until nothing is being attempted. */
export async function settled({ webhooks }: House): Promise<void> {
  await turns(8);
  while (webhooks.inFlight > 0) await turns(4);
  await turns(4);
}

/** Moves a fake clock on, waiting at every timer for what it set off. */
export async function play(time: FakeTime, until: number, house: House): Promise<void> {
  await settled(house);
  for (let next = time.nextAt; next !== null && next <= until; next = time.nextAt) {
    await time.advanceTo(next);
    await settled(house);
  }
  await time.advanceTo(until);
  await settled(house);
}

export async function listening(answer?: Parameters<typeof receiver>[0]): Promise<Receiver> {
  const made = await receiver(answer);
  open.push(made);
  return made;
}

export async function listeningRaw(behaviour: Parameters<typeof rawReceiver>[0]): Promise<RawReceiver> {
  const made = await rawReceiver(behaviour);
  open.push(made);
  return made;
}

export function verify(
  received: Received | undefined,
  keys: readonly string[],
  now: number = Date.now(),
): Promise<{ readonly id: string }> {
  return new WebhookVerifier({ keys, now: () => now }).verify({
    headers: received?.headers ?? {},
    body: received?.body ?? new Uint8Array(),
  });
}

export function idsOf(to: Receiver): readonly string[] {
  return to.received.map(({ headers }) => String(headers["webhook-id"]));
}

export function dataOf(received: Received | undefined): unknown {
  return (JSON.parse(String(received?.body)) as { data: unknown }).data;
}
