// A service that is killed at any moment: publishes as fast as its store keeps, and tells what was acknowledged.
import process from "node:process";
import { Broker } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { SqliteStore } from "@starcast/sqlite";

const [path = "", url = "", run = "0", events = "0"] = process.argv.slice(2);
const broker = new Broker({ store: await SqliteStore.open(path), leaseMs: 1_000, observe: [] });
new MqttPublisher(broker, {
  url,
  topic: "t/{type}",
  qos: Number(run) % 2 === 0 ? 1 : 2,
  maxInFlight: 20,
  status: { topic: "status", everyMs: 100 },
});
for (let number = 0; number < Number(events); number += 1) {
  await broker.publish("number.counted", `${run}-${number}`);
  process.send?.({ acknowledged: `${run}-${number}` });
  if (number % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
}
// Lives, and publishes what an earlier one left, until it is killed.
setInterval(() => undefined, 60_000);
