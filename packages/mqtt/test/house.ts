import { Broker, realSurroundings, type BrokerOptions, type EventMap, type Moment, type Moments } from "@starcast/core";
import { Aedes } from "aedes";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** A broker whose moments can be waited for, and whose back-offs are as long as they can be. */
export class House {
  readonly moments: Moment[] = [];
  readonly broker: Broker<EventMap>;
  #watchers: (() => void)[] = [];

  constructor(options: BrokerOptions<EventMap> = {}) {
    this.broker = new Broker<EventMap>({
      surroundings: { ...realSurroundings, random: { next: () => 0.999_999 } },
      observe: [(moment) => this.#see(moment)],
      drain: { spreadMs: 0, deadlineMs: 2_000 },
      ...options,
    });
  }

  /** Resolves with the first moment of that kind, past or future, from number `from` on. */
  async seen<Kind extends keyof Moments>(kind: Kind, from = 0): Promise<Extract<Moment, { readonly kind: Kind }>> {
    for (;;) {
      const moment = this.moments
        .slice(from)
        .find((each): each is Extract<Moment, { readonly kind: Kind }> => each.kind === kind);
      if (moment !== undefined) return moment;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Publishes `test.numbered` with data `{ n }`. */
  async publish(...numbers: readonly number[]): Promise<void> {
    await Promise.all(numbers.map((n) => this.broker.publish("test.numbered", { n }, { subject: `thing-${n}` })));
  }

  #see(moment: Moment): void {
    this.moments.push(moment);
    for (const watch of this.#watchers.splice(0)) watch();
  }
}

/** An MQTT broker inside this process, which speaks 3.1.1 only. */
export async function startAedes(): Promise<{ readonly url: string; end(): Promise<void> }> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const end = async (): Promise<void> => {
    await new Promise<void>((resolve) => aedes.close(resolve));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `mqtt://127.0.0.1:${port}`, end };
}
