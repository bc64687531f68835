import { formatPosition, parsePosition, type Broker, type StartingPoint } from "@starcast/core";
import {
  describeSubscriber,
  RecordingSubscriber,
  type Receiver,
  type ReceiverRequest,
  type TransportRig,
} from "@starcast/testing";

describeSubscriber("of recording subscribers", {
  start: async (broker) => new RecordingTransport(broker),
  resumes: true,
  filters: true,
  durable: false,
  canStall: false,
});

/** The smallest transport: every receiver is a subscriber in the same process. */
class RecordingTransport implements TransportRig {
  readonly #broker: Broker;
  readonly #close: (() => Promise<void>)[] = [];

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  async connect({ after, types }: ReceiverRequest = {}): Promise<Receiver> {
    const recorder = new RecordingSubscriber();
    const subscription = this.#broker.attach(recorder, { types, from: startOf(after) });
    this.#close.push(() => subscription.close());
    await recorder.next();
    const next: Receiver["next"] = async () => {
      const recorded = await recorder.next();
      if (recorded.kind === "event") {
        const { id, type, subject, data } = recorded.event;
        return { kind: "event", id, type, subject, data };
      }
      if (recorded.kind !== "gap") return next();
      const { after: last, through, reason } = recorded.gap;
      return {
        kind: "gap",
        after: last === null ? null : formatPosition(last),
        through: formatPosition(through),
        reason,
      };
    };
    return { next, disconnect: () => subscription.close() };
  }

  async close(): Promise<void> {
    await Promise.all(this.#close.map((close) => close()));
  }
}

function startOf(after: string | undefined): StartingPoint {
  return after === undefined ? "latest" : (parsePosition(after) ?? "unreadable");
}
