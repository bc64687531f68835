import { Broker, MemoryStore, type Moment } from "@starcast/core";
import { WebhookVerifier } from "@starcast/standard-webhooks";
import { afterEach, describe, expect, it } from "vitest";
import { WebhookDispatcher, type WebhookDispatcherOptions } from "../src/index.ts";
import { receiver, type Received, type Receiver } from "./loopback.ts";

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

interface House {
  readonly broker: Broker;
  readonly webhooks: WebhookDispatcher;
  readonly moments: readonly Moment[];
  /** Resolves with the first moment of that kind that fits, also one that has been. */
  seen<Kind extends Moment["kind"]>(kind: Kind, fits?: (moment: Extract<Moment, { kind: Kind }>) => boolean): Promise<Extract<Moment, { kind: Kind }>>;
}

function house(options: WebhookDispatcherOptions & { store?: MemoryStore } = {}): House {
  const { store = new MemoryStore(), ...rest } = options;
  const moments: Moment[] = [];
  const waiting = new Set<() => void>();
  const broker = new Broker({
    store,
    observe: [
      (moment) => {
        moments.push(moment);
        for (const look of waiting) look();
      },
    ],
  });
  open.push(broker);
  return {
    broker,
    webhooks: new WebhookDispatcher(broker, rest),
    moments,
    seen: (kind, fits = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = moments.find((moment): moment is never => moment.kind === kind && fits(moment as never));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

async function listening(answer?: Parameters<typeof receiver>[0]): Promise<Receiver> {
  const made = await receiver(answer);
  open.push(made);
  return made;
}

function verify(received: Received | undefined, keys: readonly string[]): ReturnType<WebhookVerifier["verify"]> {
  return new WebhookVerifier({ keys }).verify({ headers: received?.headers ?? {}, body: received?.body ?? new Uint8Array() });
}

describe("an endpoint that was put", () => {
  it("gets every event that it wants, signed with its keys", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: `${to.origin}/in`, types: ["model.*"] });
    const event = await broker.publish("model.added", { name: "a" });
    await broker.publish("price.changed", {});
    await to.count(1);
    expect(JSON.parse(String(to.received[0]?.body))).toEqual({ id: event.id, type: "model.added", timestamp: event.timestamp, data: { name: "a" } });
    expect(await verify(to.received[0], keys)).toMatchObject({ id: event.id });
    await broker.close();
    expect(to.received).toHaveLength(1);
  });
});
