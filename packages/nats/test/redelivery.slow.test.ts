import type { DeliveryDraft } from "@starcast/core";
import { expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { maxWaiting } from "../src/acked-publisher.ts";
import { JetStreamStore } from "../src/index.ts";

describeWith("nats-server", "deliveries", (program) => {
  it("are stored, and redelivered, all at once, though they are more than may wait for NATS", async () => {
    const server = await NatsServer.start(program);
    const open = (maxPerEndpoint: number): Promise<JetStreamStore> =>
      JetStreamStore.open({ servers: server.url, maxPerEndpoint, publishTimeoutMs: 60_000 });
    const narrow = await open(1);
    await narrow.deliveries.put(Array.from({ length: maxWaiting + 1_000 }, (_, index) => draftOf(index)));
    await narrow.close();
    const wide = await open(100_000);
    const { dead } = await wide.deliveries.backlog("partner");
    expect(dead).toBeGreaterThan(maxWaiting);
    expect(await wide.deliveries.redeliver({ endpointId: "partner", states: ["dead"] }, 0)).toBe(dead);
    expect(await wide.deliveries.backlog("partner")).toMatchObject({ pending: dead + 1, dead: 0 });
    await wide.close();
    await server.close();
  });
});

function draftOf(number: number): DeliveryDraft {
  const timestamp = "2026-01-01T00:00:00.000Z";
  const event = { id: `e-${number}`, type: "test.happened", subject: undefined, timestamp, json: "1" };
  return { endpointId: "partner", event, orderKey: undefined, dueAt: 0 };
}
