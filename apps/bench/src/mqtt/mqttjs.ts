import { once } from "node:events";
import { connectAsync, type MqttClient } from "mqtt";
import type { Publishing } from "./publishing.ts";
import { envelope, perTurn, topic, turn } from "./site.ts";

async function connected(
  url: string,
  publish: (client: MqttClient, count: number) => Promise<void>,
): Promise<Publishing> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, log: () => undefined });
  return { publish: (count) => publish(client, count), close: () => client.endAsync(true) };
}

/** With QoS 0: as much per turn, and never more than the socket takes. */
export function mqttjsQos0(url: string): Promise<Publishing> {
  return connected(url, async (client, count) => {
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

/** Each acknowledged: so many in flight, and the next one on each acknowledgement. */
export function mqttjsWindow(url: string, qos: 1 | 2, window: number): Promise<Publishing> {
  return connected(url, (client, count) => {
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
