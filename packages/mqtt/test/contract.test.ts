import { describeSubscriber, type Arrival, type Receiver, type SubscriberContract } from "@starcast/testing";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher } from "../src/index.ts";
import { Collector } from "./collector.ts";
import { startAedes } from "./house.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";

type Start = () => Promise<{ readonly url: string; end(): Promise<void> }>;

function contract(start: Start, protocolVersion: 4 | 5): SubscriberContract {
  return {
    // What a device has seen is between it and the MQTT broker, and so is how slowly it reads.
    resumes: false,
    canStall: false,
    filters: true,
    durable: true,
    async start(broker) {
      const server = await start();
      const collectors: Collector[] = [];
      let publisher: MqttPublisher | null = null;
      let closing: Promise<void> | null = null;
      const end = async (): Promise<void> => {
        await publisher?.close();
        for (const collector of collectors) await collector.end();
        await server.end();
      };
      return {
        async connect({ types } = {}) {
          const filters = types?.map((type) => `t/${type.replaceAll(".", "/").replaceAll("*", "+")}`) ?? ["t/#"];
          const collector = await Collector.of(server.url, [...filters, "starcast/mqtt/status"], { protocolVersion });
          collectors.push(collector);
          // Not before: an MQTT broker keeps nothing for receivers it has never seen.
          publisher ??= new MqttPublisher(broker, { url: server.url, topic: "t/{type:levels}" });
          return receive(collector);
        },
        close: () => (closing ??= end()),
      };
    },
  };
}

function receive(collector: Collector): Receiver {
  let read = 0;
  return {
    async next() {
      for (;;) {
        await collector.until(() => collector.received.length > read);
        const arrival = arrivalOf(collector.received[read]?.text ?? "");
        read += 1;
        if (arrival !== null) return arrival;
      }
    },
    disconnect: () => collector.end(),
  };
}

function arrivalOf(text: string): Arrival | null {
  const frame = JSON.parse(text) as { id: string; type: string; subject?: string; data: Record<string, unknown> };
  if (frame.type === "client.gap")
    return { kind: "gap", ...(frame.data as { after: string; through: string; reason: string }) };
  if (frame.type.startsWith("client.")) return null;
  const { id, type, subject, data } = frame;
  return { kind: "event", id, type, subject, data };
}

describeSubscriber("@starcast/mqtt at aedes, with MQTT 3.1.1", contract(startAedes, 4));
describeWith("mosquitto", "with MQTT 5", (program) => {
  describeSubscriber(
    "@starcast/mqtt at Mosquitto",
    contract(() => Mosquitto.start(program), 5),
  );
});
