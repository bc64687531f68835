import { once } from "node:events";
import { connectAsync, type MqttClient } from "mqtt";
import { envelope, perTurn, turn } from "./site.ts";

const topic = "bench/model/updated";

async function measure(url: string, count: number, publish: (client: MqttClient) => Promise<void>): Promise<number> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, log: () => undefined });
  const started = performance.now();
  await publish(client);
  const rate = (count * 1_000) / (performance.now() - started);
  await client.endAsync(true);
  return rate;
}

/** Messages per second at QoS 0: as much per turn, and never more than the socket takes. */
export function mqttjsQos0(url: string, count: number): Promise<number> {
  return measure(url, count, async (client) => {
    for (let published = 0; published < count; published += perTurn) {
      for (let index = 0; index < perTurn; index += 1) client.publish(topic, envelope(published + index), { qos: 0 });
      const { stream } = client as unknown as {
        readonly stream: NodeJS.WritableStream & { writableNeedDrain: boolean };
      };
      if (stream.writableNeedDrain) await once(stream, "drain");
      else await turn();
    }
  });
}

/** Messages per second, each acknowledged: so many in flight, and the next one on each acknowledgement. */
export function mqttjsWindow(url: string, qos: 1 | 2, window: number, count: number): Promise<number> {
  return measure(url, count, (client) => {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let acknowledged = 0;
      const next = (): void => {
        if (sent === count) return;
        client.publish(topic, envelope(sent), { qos }, (error) => {
          if (error !== undefined && error !== null) return reject(error);
          acknowledged += 1;
          if (acknowledged === count) resolve();
          else next();
        });
        sent += 1;
      };
      for (let index = 0; index < Math.min(window, count); index += 1) next();
    });
  });
}
