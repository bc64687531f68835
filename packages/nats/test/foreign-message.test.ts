import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Broker } from "@starcast/core";
import { expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore } from "../src/index.ts";

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
