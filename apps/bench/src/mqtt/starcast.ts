import { Broker, MemoryStore } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { setTimeout as sleep } from "node:timers/promises";
import { data, perTurn, turn, type } from "./site.ts";

/** Events per second, from `publish` to the MQTT broker's acknowledgement (QoS 0: to the socket). */
export async function starcast(url: string, qos: 0 | 1 | 2, count: number): Promise<number> {
  const store = new MemoryStore({ retention: { maxEvents: count + 10, maxBytes: Infinity } });
  const broker = new Broker({ store, observe: [], hotWindow: { maxEvents: count + 10, maxBytes: Infinity } });
  const publisher = new MqttPublisher(broker, { url, topic: "bench/{type:levels}", qos, status: false });
  while (!publisher.isConnected) await sleep(1);
  const started = performance.now();
  let failed: unknown = null;
  for (let published = 0; published < count; published += perTurn) {
    for (let index = 0; index < perTurn; index += 1)
      broker.publish(type, data).catch((error: unknown) => void (failed = error));
    await turn();
  }
  while ((publisher.position?.offset ?? 0) < count) await sleep(1);
  const rate = (count * 1_000) / (performance.now() - started);
  await broker.close();
  if (failed !== null) throw new Error("Expected every event to be published, got a refusal", { cause: failed });
  return rate;
}
