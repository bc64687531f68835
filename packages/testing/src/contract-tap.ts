import type { Batch, Broker, CloseReason, Gap, Line, Subscriber } from "@starcast/core";

/** What a transport's subscribers did wrong, seen from the pump's side. */
export interface ContractTap {
  /** The broker to give to the transport: it works as the other does. */
  readonly broker: Broker;
  readonly violations: readonly string[];
  /** Subscribers attached so far. */
  readonly attached: number;
  /** Those that were closed. */
  readonly closed: number;
}

/** A broker that checks every subscriber attached to it against the `Subscriber` port, and closes each of them twice. */
export function tapSubscribers(broker: Broker): ContractTap {
  const violations: string[] = [];
  const counts = { attached: 0, closed: 0 };
  const attach: Broker["attach"] = (subscriber, options) => {
    counts.attached += 1;
    const tap = new SubscriberTap(
      subscriber,
      (violation) => violations.push(violation),
      () => (counts.closed += 1),
    );
    return broker.attach(tap, options);
  };
  const tapped = new Proxy(broker, {
    get: (target, name) => {
      if (name === "attach") return attach;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    broker: tapped,
    violations,
    get attached() {
      return counts.attached;
    },
    get closed() {
      return counts.closed;
    },
  };
}

class SubscriberTap implements Subscriber {
  readonly #inner: Subscriber;
  readonly #report: (violation: string) => void;
  readonly #onClosed: () => void;
  #isClosed = false;

  constructor(inner: Subscriber, report: (violation: string) => void, onClosed: () => void) {
    this.#inner = inner;
    this.#report = report;
    this.#onClosed = onClosed;
  }

  open(line: Line): void {
    this.#guarded("open", () => this.#inner.open?.(new LineTap(line, this.#report)));
  }

  deliver(batch: Batch): number {
    const offered = batch.events.length;
    const taken = this.#guarded("deliver", () => this.#inner.deliver(batch));
    if (!Number.isInteger(taken) || taken < 0 || taken > offered)
      this.#report(`deliver returned ${String(taken)} of ${offered}`);
    return taken;
  }

  gap(gap: Gap): void {
    this.#guarded("gap", () => this.#inner.gap(gap));
  }

  async close(reason: CloseReason): Promise<void> {
    if (!this.#isClosed) this.#onClosed();
    this.#isClosed = true;
    const first = this.#guarded("close", () => this.#inner.close(reason));
    const second = this.#guarded("a second close", () => this.#inner.close(reason));
    await Promise.all([first, second]).catch((error: unknown) => this.#report(`close rejected with ${String(error)}`));
  }

  #guarded<Result>(call: string, run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      this.#report(`${call} threw ${String(error)}`);
      throw error;
    }
  }
}

/** A line that notices what a subscriber says that cannot be. */
class LineTap implements Line {
  readonly #line: Line;
  readonly #report: (violation: string) => void;

  constructor(line: Line, report: (violation: string) => void) {
    this.#line = line;
    this.#report = report;
  }

  get position(): Line["position"] {
    return this.#line.position;
  }

  get start(): Line["start"] {
    return this.#line.start;
  }

  get lease(): Line["lease"] {
    return this.#line.lease;
  }

  ready(): void {
    this.#line.ready();
  }

  acknowledge(through: Line["position"], how?: "saved"): void {
    if (through.epoch !== this.#line.position.epoch) this.#report(`acknowledged epoch ${through.epoch}`);
    this.#line.acknowledge(through, how);
  }

  rewind(): void {
    this.#line.rewind();
  }
}
