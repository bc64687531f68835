import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Broker, type Moment } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";
import { WebhookDispatcher } from "@starcast/webhook";
import { expect, it, onTestFinished } from "vitest";
import { NatsServer } from "../nats-server.ts";
import { describeWith } from "../services.ts";

describeWith("nats-server", "webhooks of two nodes that share a log", (program) => {
  it("get every event from the moment an endpoint is put, at whichever node", async () => {
    const { first, second, receiver } = await house(program);
    for (const [index, node] of [second, first, second].entries()) {
      const id = `partner-${index}`;
      await node.webhooks.endpoints.put({ id, url: `${receiver.origin}/${id}`, types: ["price.*"] });
      const published = await first.broker.publish("price.changed", index);
      await receiver.got(`/${id} ${published.id}`);
    }
  });

  it("get what one published before another took the log in for the first time", async () => {
    const nats = await NatsServer.start(program);
    onTestFinished(() => nats.close());
    const receiver = await Receiver.start();
    // Somebody holds the place who takes nothing in, and ends.
    const gone = await JetStreamStore.open({ servers: nats.url });
    const held = await gone.checkpoints.acquire("webhooks", 60_000);
    const early = await startNode(nats.url, receiver);
    await early.webhooks.endpoints.put({ id: "partner", url: `${receiver.origin}/partner`, types: ["price.*"] });
    const { id } = await early.broker.publish("price.changed", "early");
    const late = await startNode(nats.url, receiver);
    await early.broker.close();
    if (held !== null) await gone.checkpoints.release(held);
    await gone.close();
    await receiver.got(`/partner ${id}`);
    await late.broker.close();
  });

  it("get what an endpoint missed that is turned on again at another node, and all that comes after", async () => {
    const { first, second, receiver } = await house(program);
    await first.webhooks.endpoints.put({ id: "partner", url: `${receiver.origin}/partner`, types: ["price.*"] });
    receiver.answer = (response) => response.writeHead(410).end();
    const disabled = Promise.race([first.seen("webhookEndpointDisabled"), second.seen("webhookEndpointDisabled")]);
    await first.broker.publish("price.changed", "gone");
    await disabled;
    receiver.answer = (response) => response.writeHead(204).end();
    const missed = await first.broker.publish("price.changed", "missed");
    await second.webhooks.endpoints.unpause("partner");
    const later = await first.broker.publish("price.changed", "later");
    for (const { id } of [missed, later]) await receiver.got(`/partner ${id}`);
  });

  it("are tried by both: what one has no room for, the other takes", async () => {
    const { first, receiver } = await house(program);
    await first.webhooks.endpoints.put({
      id: "partner",
      url: `${receiver.origin}/partner`,
      types: ["price.*"],
      concurrency: 1,
    });
    const held: ServerResponse[] = [];
    receiver.answer = (response) => held.push(response);
    const published = [await first.broker.publish("price.changed", 1), await first.broker.publish("price.changed", 2)];
    for (const { id } of published) await receiver.got(`/partner ${id}`);
    for (const response of held) response.writeHead(204).end();
  });

  it("are no longer tried by any once an endpoint is removed at one", async () => {
    const { first, second } = await house(program);
    await second.webhooks.endpoints.remove("warm");
    await expect.poll(() => first.webhooks.endpoints.get("warm"), { timeout: 20_000 }).toBeNull();
  });
});

interface Node {
  readonly broker: Broker;
  readonly webhooks: WebhookDispatcher;
  /** Resolves when there was a moment of that kind. */
  seen(kind: Moment["kind"]): Promise<void>;
}

/** Two nodes; the first is the one that takes the log in. */
async function house(program: string): Promise<{ first: Node; second: Node; receiver: Receiver }> {
  const nats = await NatsServer.start(program);
  onTestFinished(() => nats.close());
  const receiver = await Receiver.start();
  const first = await startNode(nats.url, receiver);
  await first.webhooks.endpoints.put({ id: "warm", url: `${receiver.origin}/warm`, types: ["warm.*"] });
  const { id } = await first.broker.publish("warm.up", {});
  await receiver.got(`/warm ${id}`);
  return { first, second: await startNode(nats.url, receiver), receiver };
}

async function startNode(servers: string, receiver: Receiver): Promise<Node> {
  const looks = new Set<(moment: Moment) => void>();
  const store = await JetStreamStore.open({ servers });
  const broker = new Broker({ store, observe: [(moment) => looks.forEach((look) => look(moment))] });
  const webhooks = new WebhookDispatcher(broker, { allow: [receiver.origin] });
  onTestFinished(() => broker.close());
  return {
    broker,
    webhooks,
    seen: (kind) => new Promise((resolve) => looks.add((moment) => void (moment.kind === kind && resolve()))),
  };
}

/** Answers 204, unless told otherwise, and remembers `<path> <webhook-id>` of every request. */
class Receiver {
  readonly origin: string;
  answer: (response: ServerResponse) => unknown = (response) => response.writeHead(204).end();
  readonly #requests = new Set<string>();
  readonly #looks = new Set<() => void>();

  private constructor(origin: string) {
    this.origin = origin;
  }

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      request.resume();
      receiver.#requests.add(`${request.url} ${String(request.headers["webhook-id"])}`);
      for (const look of receiver.#looks) look();
      receiver.answer(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const receiver = new Receiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return receiver;
  }

  got(request: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#requests.has(request)) resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}
