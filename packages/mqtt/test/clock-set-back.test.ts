import { realSurroundings } from "@starcast/core";
import { expect, it, onTestFinished } from "vitest";
import { MqttPublisher } from "../src/index.ts";
import { House } from "./house.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const hour = 3_600_000;

it("an MQTT broker that acknowledges nothing is left in time, and the end waits no longer, when the clock is set back by hours", async () => {
  const server = await ScriptedBroker.start({ publish: () => undefined });
  onTestFinished(() => server.end());
  const offset = { ms: 0 };
  const clock = { now: () => realSurroundings.clock.now() + offset.ms };
  const house = new House({ surroundings: { ...realSurroundings, clock } });
  new MqttPublisher(house.broker, {
    url: server.url,
    topic: "t/{subject}",
    status: false,
    connection: { ackTimeoutMs: 1_000, backOff: { minMs: 100, maxMs: 100 } },
  });
  await house.publish(0);
  await server.until(() => server.numbers.length === 1);
  offset.ms = -3 * hour;
  expect((await house.seen("mqttDisconnected")).error.code).toBe("timed_out");
  await server.until(() => server.numbers.length === 2);
  const closing = house.broker.close();
  offset.ms = -6 * hour;
  await closing;
});
