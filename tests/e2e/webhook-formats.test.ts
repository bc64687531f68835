import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Broker, defineEvents, event } from "@starcast/core";
import { makeKeyPair, WebhookVerifier, type Receiver } from "@starcast/standard-webhooks";
import { WebhookDispatcher, type PayloadFormat } from "@starcast/webhook";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";

interface ModelAdded {
  readonly id: string;
  readonly price: number;
}

/** One vocabulary for both sides: what is published is what is received, also for the compiler. */
const events = defineEvents({
  "model.added": event<ModelAdded>({ subject: (data) => data.id }),
  "model.deleted": event<{ readonly id: string }>(),
});
const data: ModelAdded = { id: "acme/ünï-1", price: 0.5 };

describe("an event, published once, posted in every format and verified", () => {
  it.each(["envelope", "cloudevents"] as const)("is the same event, with its types: %s", async (format) => {
    const { put, publish, serve } = await house();
    const keys = await put(format);
    const received = serve((resolve) =>
      new WebhookVerifier({ keys, events }).receive((got) => {
        if (got.type === "model.added") expectTypeOf(got.data).toEqualTypeOf<ModelAdded>();
        if (got.type === "model.deleted") expectTypeOf(got.data.id).toEqualTypeOf<string>();
        // @ts-expect-error: no such type in the vocabulary
        if (got.type === "model.removed") return;
        resolve(got);
      }),
    );
    const { id, timestamp, type } = await publish();
    expect(await received).toMatchObject({ id, timestamp, type, subject: data.id, data, isDuplicate: false });
  });

  it.each(["data", "cloudevents-binary"] as const)("is its data under its id: %s", async (format) => {
    const { put, publish, serve } = await house();
    const keys = await put(format);
    const received = serve((resolve) => new WebhookVerifier({ keys, payload: "data" }).receive(resolve));
    const { id } = await publish();
    expect(await received).toEqual({ id, data, sentAt: expect.any(Number) as number, isDuplicate: false });
  });

  it("is verified by a partner who holds no secret, before and after the key has changed", async () => {
    const { put, publish, serve, webhooks } = await house();
    const [old, next] = [await makeKeyPair(), await makeKeyPair()];
    await put("envelope", [old.privateKey]);
    for (const keys of [[old.publicKey], [old.publicKey, next.publicKey]]) {
      const received = serve((resolve) => new WebhookVerifier({ keys, events }).receive(resolve));
      const { id } = await publish();
      expect(await received).toMatchObject({ id });
    }
    await webhooks.endpoints.rotate("partner", { key: next.privateKey });
    for (const keys of [[old.publicKey], [next.publicKey]]) {
      const received = serve((resolve) => new WebhookVerifier({ keys, events }).receive(resolve));
      const { id } = await publish();
      expect(await received).toMatchObject({ id });
    }
  });
});

async function house() {
  let node: Receiver["node"] | undefined;
  const server = createServer((request, response) => void node?.(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broker = new Broker({ events });
  const webhooks = new WebhookDispatcher(broker, { allow: [origin], source: "/catalog" });
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    webhooks,
    put: async (format: PayloadFormat, keys?: readonly string[]) =>
      (await webhooks.endpoints.put({ id: "partner", url: `${origin}/in`, format, keys })).keys,
    publish: async () => broker.publish("model.added", data),
    /** Resolves with what the receiver's handler gets. */
    serve: async (make: (resolve: (got: unknown) => void) => Receiver) =>
      new Promise<unknown>((resolve) => {
        node = make(resolve).node;
      }),
  };
}
