import { connect as connectTcp } from "node:net";
import { jetstream } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { Broker } from "@starcast/core";
import { expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore } from "../src/index.ts";

describeWith("nats-server", "what others wrote to the deliveries", (program) => {
  it("is set aside and told to who claims next, at the opening and later; what is whole goes on", async () => {
    const server = await NatsServer.start(program);
    const open = (): Promise<JetStreamStore> => JetStreamStore.open({ servers: server.url, stream: "shared" });
    const here = await open();
    const connection = await connect({ servers: server.url });
    const damage = (key: string, value: string): Promise<unknown> =>
      jetstream(connection).publish(`$KV.shared_deliveries.${key}`, value);
    await damage("partner.e-1", "hello");
    await damage("what.ever.it.is", "{}");
    await writeRaw(server.url, "$KV.shared_deliveries.partner.e-0", "NATS/1.0\r\nno name: 1\r\n\r\n");
    const event = {
      id: "e-2",
      type: "test.happened",
      subject: undefined,
      timestamp: "2026-01-01T00:00:00.000Z",
      json: "1",
    };
    await here.deliveries.put([{ endpointId: "partner", event, orderKey: undefined, dueAt: 0 }]);
    const claim = async (store: JetStreamStore, told: string[]): Promise<readonly string[]> => {
      const onDamaged = (endpointId: string): void => void told.push(endpointId);
      const request = { now: Date.now(), limit: 10, perEndpoint: () => 10, leaseMs: 1, onDamaged };
      return (await store.deliveries.claimDue(request)).map(({ delivery }) => delivery.event.id);
    };
    const told: string[] = [];
    await expect.poll(async () => [...(await claim(here, told)), ...told].length).toBeGreaterThanOrEqual(4);
    expect(told).toEqual(["partner", "what.ever.it.is", "partner"]);
    const there = await open();
    const toldThere: string[] = [];
    await expect.poll(() => claim(there, toldThere)).toEqual(["e-2"]);
    expect(toldThere.slice(0, 3).toSorted()).toEqual(["partner", "partner", "what.ever.it.is"]);
    await expect(there.log.refresh()).resolves.toMatchObject({ head: 0 });
    await connection.close();
    await Promise.all([here.close(), there.close()]);
    await server.close();
  });
});

describeWith("nats-server", "a delivery whose event others damaged or took away", (program) => {
  it.each(["hello", "5", '{"type":"test.happened"}'])(
    "is dead, and told to who claims; those of other events go on: %s",
    async (text) => {
      const server = await NatsServer.start(program);
      const open = (): Promise<JetStreamStore> => JetStreamStore.open({ servers: server.url, stream: "shared" });
      const here = await open();
      const drafts = ["e-1", "e-2", "e-3"].map((id) => ({
        endpointId: `of-${id}`,
        event: { id, type: "test.happened", subject: undefined, timestamp: "2026-01-01T00:00:00.000Z", json: "1" },
        orderKey: undefined,
        dueAt: 0,
      }));
      await here.deliveries.put(drafts);
      const connection = await connect({ servers: server.url });
      const js = jetstream(connection);
      await js.publish("$KV.shared_delivered.e-1", text);
      const gone = headers();
      gone.set("KV-Operation", "DEL");
      await js.publish("$KV.shared_delivered.e-2", "", { headers: gone });
      // One that did not put them has no copies at hand.
      const there = await open();
      const told: [string, unknown][] = [];
      const claims = await there.deliveries.claimDue({
        now: Date.now(),
        limit: 10,
        perEndpoint: () => 10,
        leaseMs: 60_000,
        onDamaged: (endpointId, error) => void told.push([endpointId, error]),
      });
      expect(claims.map(({ delivery }) => delivery.event.id)).toEqual(["e-3"]);
      expect(told.toSorted()).toMatchObject([
        ["of-e-1", { code: "store_corrupt" }],
        ["of-e-2", { code: "store_corrupt" }],
      ]);
      for (const id of ["of-e-1", "of-e-2"])
        expect(await there.deliveries.backlog(id)).toMatchObject({ pending: 0, attempting: 0, dead: 1 });
      const { deliveries } = await there.deliveries.list({}, { limit: 10 });
      expect(deliveries.map(({ event }) => event.id)).toEqual(["e-3"]);
      await connection.close();
      await Promise.all([here.close(), there.close()]);
      await server.close();
    },
  );
});

describeWith("nats-server", "what others wrote to the stream", (program) => {
  it("is told as a gap to who follows and to who resumes, and ends nothing", async () => {
    const server = await NatsServer.start(program);
    const open = async (): Promise<Broker> =>
      new Broker({ store: await JetStreamStore.open({ servers: server.url, stream: "shared" }), observe: [] });
    const here = await open();
    const live = collect(here);
    await here.publish("test.happened", "first");
    const connection = await connect({ servers: server.url });
    await jetstream(connection).publish("shared.events", "hello");
    await here.publish("test.happened", "second");
    const there = await open();
    const resumed = collect(there);
    const wanted = ["first", "gap 1-2", "second"];
    expect(await live).toEqual(wanted);
    expect(await resumed).toEqual(wanted);
    expect(here.store.log.trimmedThrough).toBe(0);
    await connection.close();
    await Promise.all([here.close(), there.close()]);
    await server.close();
  });
});

/** A message with headers that no client would write. */
async function writeRaw(url: string, subject: string, headers: string): Promise<void> {
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
  const bytes = Buffer.byteLength(headers);
  socket.write(
    `CONNECT {"verbose":false,"headers":true}\r\nHPUB ${subject} ${bytes} ${bytes + 2}\r\n${headers}{}\r\nPING\r\n`,
  );
  for await (const chunk of socket) if (String(chunk).includes("PONG")) break;
  socket.destroy();
}

/** Everything from the oldest event on, through the one that says `second`. */
function collect(broker: Broker): Promise<readonly string[]> {
  const told: string[] = [];
  return new Promise((resolve) => {
    broker.subscribe(
      ({ data }) => {
        told.push(String(data));
        if (data === "second") resolve(told);
      },
      {
        from: "earliest",
        onGap: ({ after, through }) => void told.push(`gap ${after?.offset}-${through.offset}`),
      },
    );
  });
}
