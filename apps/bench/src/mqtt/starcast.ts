import { Broker } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { setTimeout as sleep } from "node:timers/promises";
import { data, type } from "../model-update.ts";
import type { Publishing } from "./publishing.ts";
import { perTurn, turn } from "./site.ts";

/** Events that may wait for the MQTT broker: well within what the log retains by default. */
const maxWaiting = 4_000;

/**
 * From `publish` to the MQTT broker's acknowledgement (QoS 0: to the socket). Everything is as it is by default, and like
 * the others it publishes no faster than it is acknowledged.
 */
export async function starcast(url: string, qos: 0 | 1 | 2): Promise<Publishing> {
  const broker = new Broker({ observe: [] });
  const publisher = new MqttPublisher(broker, { url, topic: "bench/{type:levels}", qos, status: false });
  while (!publisher.isConnected) await sleep(1);
  let failed: unknown = null;
  const waiting = (): number => broker.position.offset - (publisher.position?.offset ?? 0);
  return {
    publish: async (count) => {
      for (let published = 0; published < count; published += perTurn) {
        while (waiting() > maxWaiting) await sleep(1);
        for (let index = 0; index < perTurn; index += 1)
          broker.publish(type, data).catch((error: unknown) => void (failed = error));
        await turn();
      }
      while (waiting() > 0) await sleep(1);
      if (failed !== null) throw new Error("Expected every event to be published, got a refusal", { cause: failed });
      const dropped = broker.eventsDropped;
      if (dropped > 0) throw new Error(`Expected every event to be delivered, ${dropped} were dropped`);
    },
    close: () => broker.close(),
  };
}
