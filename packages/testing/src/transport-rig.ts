import type { Broker } from "@starcast/core";
import type { ContractTap } from "./contract-tap.ts";

/** What arrived on the far side of a transport: an event, or the notice that events will never come. */
export type Arrival =
  | {
      readonly kind: "event";
      readonly id: string;
      readonly type: string;
      readonly subject?: string | undefined;
      readonly data: unknown;
    }
  | { readonly kind: "gap"; readonly after: string | null; readonly through: string; readonly reason: string };

/** One receiver on the far side: a connected client, an MQTT subscription, a webhook endpoint. */
export interface Receiver {
  /** What arrives next; waits for it. What is neither event nor gap is passed over. */
  next(): Promise<Arrival>;
  /** Goes away, without a word if it can. Resolves when the transport has noticed. */
  disconnect(): Promise<void>;
  /** Stops reading, and reads again. Required with `canStall`. */
  stall?(): void;
  unstall?(): void;
}

export interface ReceiverRequest {
  /** The id it saw last. */
  readonly after?: string | undefined;
  readonly types?: readonly string[] | undefined;
}

/** A transport on a broker, and receivers on its far side. */
export interface TransportRig {
  /** Resolves when the receiver gets what is published from now on. */
  connect(request?: ReceiverRequest): Promise<Receiver>;
  /** Ends the transport and what the rig has opened. */
  close(): Promise<void>;
}

/** A transport, and what it can do. */
export interface SubscriberContract {
  start(broker: Broker): Promise<TransportRig>;
  /** A receiver can say what it saw last, and is told gaps in band. */
  readonly resumes: boolean;
  /** A receiver can say which types it wants. */
  readonly filters: boolean;
  /** The transport keeps its place under a name, and delivers at least once over its own restart. */
  readonly durable: boolean;
  /** A receiver can stop reading. */
  readonly canStall: boolean;
}

export interface SubscriberRun {
  readonly broker: Broker;
  readonly tap: ContractTap;
  readonly rig: TransportRig;
}

export type StartTransport = (maxEvents?: number) => Promise<SubscriberRun>;

/** So many arrivals, in order. */
export async function take(receiver: Receiver, count: number): Promise<readonly Arrival[]> {
  const arrivals: Arrival[] = [];
  while (arrivals.length < count) arrivals.push(await receiver.next());
  return arrivals;
}

export async function publish(broker: Broker, count: number): Promise<readonly { readonly id: string }[]> {
  const events: { readonly id: string }[] = [];
  for (let number = 0; number < count; number += 1) events.push(await broker.publish("test.happened", { number }));
  return events;
}

export function ids(arrivals: readonly Arrival[]): readonly unknown[] {
  return arrivals.map((each) => (each.kind === "event" ? each.id : each));
}
